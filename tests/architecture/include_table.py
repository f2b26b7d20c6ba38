"""The include table: which module may use which. Read from the same calls that build the libraries."""
import re

_CALL = re.compile(r"\bpillar_module\(\s*(\w+)([^)]*)\)")
_MAIN = re.compile(r"target_link_libraries\(\s*pillar\s+PRIVATE([^)]*)\)")
_FOLDERS = re.compile(r"set\(\s*PILLAR_ISA_FOLDERS([^)]*)\)")


def _without_comments(text):
    return re.sub(r"#[^\n]*", "", text)


def read_table(cmake_text):
    """{module: set of modules it may use}; "main" is what the program itself is linked with."""
    text = _without_comments(cmake_text)
    table = {}
    for name, rest in _CALL.findall(text):
        words = rest.split()
        if "USES" in words:
            words = words[words.index("USES") + 1:]
            end = words.index("LIBRARIES") if "LIBRARIES" in words else len(words)
            table[name] = set(words[:end])
        else:
            table[name] = set()
    main = _MAIN.search(text)
    table["main"] = {w[len("pillar_"):] for w in main[1].split() if w.startswith("pillar_")} if main else set()
    return table


def read_isa_folders(cmake_text):
    found = _FOLDERS.search(_without_comments(cmake_text))
    return set(found[1].split()) if found else set()


def find_cycle(table):
    """A list of modules that use each other in a circle, or None."""
    done, path = set(), []

    def visit(module):
        if module in path:
            return path[path.index(module):] + [module]
        if module in done:
            return None
        path.append(module)
        for used in sorted(table.get(module, ())):
            cycle = visit(used)
            if cycle:
                return cycle
        done.add(path.pop())
        return None

    for module in sorted(table):
        cycle = visit(module)
        if cycle:
            return cycle
    return None
