"""The single file: the folder form inside it, where that is unpacked once, and how it is run.

Everything that the quick client does not answer goes this way: ``places`` says where the program
may be unpacked, ``unpacked`` finds it there as its ``contents`` say, or makes it of what is
``carried``, and ``launch`` becomes it.
"""
