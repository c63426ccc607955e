"""The wiring of the tools that ask us, put into their own configuration and taken out again.

tools             what is known of each tool: the one table
names             how tools name a host, and how a helper of theirs is known to be us
precedence        which settings stop counting for a host that has one of its own
places            where each tool keeps its configuration
hosts             the hosts to wire, from the stores or by name
formats/          one file for each format: a setting read, put in, put back, nothing else touched
texts             a configuration as it is found
changes           what is changed in a file, in a form that can be undone
editor            a configuration while settings are put in
wiring            how a tool is wired by now
plan              what there is to change
diff              the change, as a person reads it
links             programs that must be on PATH
transaction       the change, as it is made: all of it or nothing
record            what was done, for ``--undo``
undo              what there is to undo
remaining_logins  what stays in the stores
"""
