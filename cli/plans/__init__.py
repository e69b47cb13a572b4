"""Plans that outlive their preview: `turnout preview ENV --save FILE` saves, `turnout up ENV --plan FILE` applies one.

`saved` is what the file holds, `files` reads and writes it, `world` looks at what a plan is bound to, `moved` compares
(pure), `saving` makes one, `binding` refuses to apply one of which anything has moved.
"""
