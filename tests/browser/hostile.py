"""Texts that would run, fetch, style or hide something wherever they are taken for more than text; all differ."""

from itertools import chain, product

TAGS = (
    "<script>alert({n})</script>",
    "<img src=x onerror=alert({n})>",
    "<svg/onload=alert({n})>",
    "<iframe srcdoc='&lt;script&gt;alert({n})&lt;/script&gt;'></iframe>",
    "<details open ontoggle=alert({n})>",
    "<style onload=alert({n})>*{{color:red}}</style>",
    "<img src=http://outside.example/{n}.png>",
    "<link rel=stylesheet href=http://outside.example/{n}.css>",
    "<b onmouseover=alert({n})>bold {n}</b>",
)
"""What runs where it is taken for markup; the last but two fetch."""

ENDS = ("", "</td></table>", "\"'>", "</script></style>", "]]></svg>", "-->")
"""What ends the place in which a text might stand."""

WORDS = (
    "[a link {n}](javascript:alert({n}))",
    "![a picture {n}](http://outside.example/{n}.png)",
    "<a href=javascript:alert({n})>a link {n}</a>",
    "$\\href{{javascript:alert({n})}}{{x}}$",
    "$$\\require{{html}}\\class{{x}}{{{n}}}$$",
    "`code {n}` *stars* _lines_ # head",
    "{{{{{n}*{n}}}}} ${{alert({n})}}",
    "%{{x:alert({n})}} %{{y}}",
    "&lt;script&gt;alert({n})&lt;/script&gt;",
    "javascript:alert({n})//",
    "'; alert({n}); '",
)
"""What other readers of a text obey: Markdown, formulas, templates, entities, hover texts."""

HOSTILE = tuple(
    text.format(n=number)
    for number, text in enumerate(chain((end.replace("{", "{{") + tag for end, tag in product(ENDS, TAGS)), WORDS))
)
