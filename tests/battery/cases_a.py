"""Section A: the command allowlist."""
from harness import ANY, RAN, case, check


@case("A01", "separators", control=True)
def a01(g, way):
    for text in g.some(("ls; touch {C}", "ls && touch {C}", "true || touch {C}; touch {C}", "ls | touch {C}",
                 "ls\ntouch {C}", "ls;touch {C};", "ls |& touch {C}", "ls & touch {C}", "(touch {C})",
                 "{ touch {C}; }", "! touch {C}")):
        g.attack(way, command=text)
