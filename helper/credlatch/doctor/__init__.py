"""What is wrong with how logins and tools are set up, what says so, and what mends it.

finding        what a check finds, and how it is mended
programs       PATH, and the names that tools start us by
wiring         each tool's own configuration, by the table of ``setup``
other_helpers  helpers that are not ours
stores         what stores read, and entries that are no use
logins         what the stores have
doubles        logins that hide others
netrc          what a netrc says in vain
variables      the environment: variables of ours, and files that variables name
keyring        the system's keyring
agent          the agent, and what CREDLATCH_AGENT names
rules          settings, the user's and a workspace's
places         where we write: owners, modes, full disks
servers        token servers: reached, trusted, and on whose clock
checks         all of them, in their order
report         a run of them, and what was mended
"""
