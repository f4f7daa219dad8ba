"""The departments' systems of the synthetic city: each speaks the protocol that such a department speaks.

`documents` write the forms (workbooks, messages, archives), `web`, `sftp`, `database` serve them, `folders` lay down
what departments hand in themselves; `running.Systems` starts all of it at one moment of the city and moves it on.
Nothing here was measured; everything says `synthetic`.
"""
