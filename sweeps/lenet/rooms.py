"""How much room the stack of a network has: few sizes, so that few programs are compiled.

A step also moves the modules that are passed by, whose gradients are 0: a network of two
in a stack of 64 would take twice as long as in one of 16.
"""

ROOMS = (16, 64, 1024)


def room(modules: int, trained: bool) -> int:
    """Modules that the stack of a network of N modules has room for.

    Args:
        modules: N.
        trained: Whether it takes steps; one look at it is cheaper than a program.

    Example:
        >>> [room(n, True) for n in (0, 16, 40, 1000, 1025)]
        [16, 16, 64, 1024, 2048]
        >>> room(16, False)
        64
    """
    for size in ROOMS if trained else ROOMS[1:]:
        if modules <= size:
            return size
    return 1 << (modules - 1).bit_length()
