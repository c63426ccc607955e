"""Secrets for a command that builds: made anew whenever it opens one of their files.

wanted   which secrets, as the command line names them
shapes   a credential in the form that a tool reads
source   a wanted secret's bytes, fresh and renewed
folder   a private folder in memory, which goes when we do
secret_file  a secret's file; of two kinds:
leased_file  on Linux: whoever opens it waits until it has been written for them
fifo     elsewhere
wired    where each tool's command line takes its secrets
child    the command: its signals, its end
"""
