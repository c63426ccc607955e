"""The program in its place below a prefix.

    PREFIX/bin/credlatch                       -> ../lib/credlatch/current/credlatch
    PREFIX/bin/docker-credential-credlatch     -> the same
    PREFIX/lib/credlatch/current               -> VERSION-BUILD
    PREFIX/lib/credlatch/VERSION-BUILD/        the folder form

A program that runs has found its files below VERSION-BUILD, and needs no link any more: switching
``current`` breaks none. ``layout`` knows the names.
"""
