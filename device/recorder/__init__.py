"""What a second board runs to be a meter. The computer sends it; nothing of it stays there."""
