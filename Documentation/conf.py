# SPDX-License-Identifier: GPL-2.0
"""Sphinx's configuration, for 'make docs' (lab/docs)."""

import os
import re

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.transforms import SphinxTransform

project = "kvm-hv-ext"
author = copyright = "the authors of kvm-hv-ext"

extensions = ["sphinx.ext.graphviz"]
graphviz_output_format = "svg"

html_theme = "alabaster"
html_theme_options = {"page_width": "72em"}
html_copy_source = False
highlight_language = "none"

# What the packages have as man pages.
man_pages = [
    ("kvm-hv-ext", "kvm-hv-ext", "extensions to KVM on IBM POWER servers", "", 7),
    ("pseries-hpt", "pseries-hpt", "change the size of a guest's hash page table", "", 7),
]


class PageNames(SphinxTransform):
    """The name of a page, such as lab.rst, becomes a link to it, and a name
    that is no page a warning. So the sources read well as they are."""

    default_priority = 500
    name = re.compile(r"(?:Documentation/)?\b([\w-]+)\.rst\b")

    def apply(self):
        for text in list(self.document.findall(nodes.Text)):
            if not isinstance(text.parent, nodes.TextElement) or isinstance(
                text.parent, (nodes.literal, nodes.literal_block, nodes.title)
            ):
                continue
            pieces = []
            end = 0
            for match in self.name.finditer(text):
                pieces.append(nodes.Text(text[end:match.start()]))
                pieces.append(self.link(match))
                end = match.end()
            if pieces:
                pieces.append(nodes.Text(text[end:]))
                text.parent.replace(text, pieces)

    def link(self, match):
        page = match.group(1).lower()
        return pending_xref(
            "",
            nodes.inline("", match.group(0)),
            refdomain="std",
            reftype="doc",
            refdoc=self.env.docname,
            reftarget="/" + page,
            refexplicit=True,
            refwarn=True,
        )


def setup(app):
    app.add_transform(PageNames)
    return {"parallel_read_safe": True}
