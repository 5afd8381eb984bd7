"""How littlefs lays a file out in the blocks of flash, so that constants can be read where they lie.

Block 0 of a file is all data; block i > 0 begins with ctz(i) + 1 pointers of 4 bytes to earlier ones, the first of them
to block i - 1 (littlefs, SPEC.md, "CTZ skip-lists"). Each tile of a program for flash lies in the data of one block.

Shared by the board and the computer.
"""

POINTER_BYTES = 4
# No block of a file of less than 2^12 blocks (16 MiB in blocks of 4 KiB) has more of them.
MAX_POINTERS = 12


def pointers(index):
    """How many pointers the file's block `index` begins with."""
    if index == 0:
        return 0
    count = 1
    while not index & 1:
        index >>= 1
        count += 1
    return count


def capacity(block_bytes):
    """Bytes of data that any block of a file holds."""
    return block_bytes - POINTER_BYTES * MAX_POINTERS


def block_of(offset, block_bytes):
    """(index, bytes into it) of the block that holds the file's byte `offset`."""
    index = 0
    while True:
        into = offset + POINTER_BYTES * pointers(index)
        if into < block_bytes:
            return index, into
        offset = into - block_bytes
        index += 1


def next_block(offset, block_bytes):
    """The first offset from `offset` on where the data of a block begin."""
    index, into = block_of(offset, block_bytes)
    begin = POINTER_BYTES * pointers(index)
    return offset if into == begin else offset + block_bytes - into
