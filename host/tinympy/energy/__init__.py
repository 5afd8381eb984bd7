"""Energy per inference: what a meter recorded, cut at the board's windows, with what is known of its errors.

    meters, importers → Trace → align (marks, or a preamble) → integrate → uncertainty

`meters` records live, `importers` reads files that other programs wrote, `emulated` has meters for those who have none.
"""
