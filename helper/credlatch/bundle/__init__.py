"""Windows' single file: the folder form inside it, where that is unpacked once, and how it is run.

``places`` says where the program may be unpacked, ``unpacked`` finds it there as its ``contents``
say, or makes it of what is ``carried``. Elsewhere the launcher does all this (build/loader).
"""
