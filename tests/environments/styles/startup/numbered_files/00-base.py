print(f"Loading {__file__!r} ...")

from facility import configure_base

configure_base(get_ipython().user_ns, "bl99", bec=True)
RE.md["facility"] = "made up"
RE.md.setdefault("proposal", {"number": 0, "people": []})
