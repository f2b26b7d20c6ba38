"""C++ sources as the rules see them: without comments, and without what stands between quotation marks."""
import re

_TOKEN = re.compile(
    r'''//[^\n]* | /\*.*?\*/ | R"(?P<mark>[^()\\\s]{0,16})\(.*?\)(?P=mark)" | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])+' '''
    r'''| \b[0-9](?:[0-9a-fA-F.xX]|'[0-9a-fA-F])* ''',
    re.DOTALL | re.VERBOSE)
_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*[<"]([^>"\n]+)[>"]', re.MULTILINE)


def _blank(text):
    return re.sub(r"[^\n]", " ", text)


def without_comments(text):
    """Comments become blanks; line numbers stay."""
    return _TOKEN.sub(lambda m: _blank(m[0]) if m[0].startswith(("//", "/*")) else m[0], text)


def code_only(text):
    """Comments and the contents of strings and characters become blanks; line numbers stay."""
    def replace(match):
        token = match[0]
        if token[0].isdigit():
            return token
        return _blank(token) if token.startswith("/") else token[0] + _blank(token[1:-1]) + token[-1]
    return _TOKEN.sub(replace, text)


def line_of(text, position):
    return text.count("\n", 0, position) + 1


def includes(text):
    """(line, header) of every #include that is not commented out."""
    plain = without_comments(text)
    return [(line_of(plain, m.start()), m[1].strip()) for m in _INCLUDE.finditer(plain)]
