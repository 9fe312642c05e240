"""Exercise what only the DM9000 has.

Ref: drivers/net/ethernet/davicom/dm9000.c; DM9000 data sheet
"""
