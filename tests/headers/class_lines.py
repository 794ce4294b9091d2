#!/usr/bin/env python3
# SPDX-FileCopyrightText: The elegans authors
# SPDX-License-Identifier: Apache-2.0
"""class_lines.py HEADER...             fails if a class has more than 400 lines, or is spread over several headers
class_lines.py --list HEADER...      prints how many lines each class has instead, the longest first

The lines of a class are those of its definition and those of all its members that are defined outside of it, such as
`void Rnn<Cell>::backward(...) { ... }`. Nested classes belong to the one around them; a specialization is a class of its
own. Comments and blank lines within count, the docstring above does not.

This is no C++ parser. It splits a header into the declarations of its namespaces, which needs nothing but brackets, and
looks at the name of each. Preprocessor lines are left out, so both branches of an #if are read.
"""
import collections
import re
import sys

LONGEST = 400
TOKEN = re.compile(r"""(?P<skip>\s+|//[^\n]*|/\*.*?\*/|^[ ]*\#(?:\\\n|[^\n])*)
    |(?P<token>R"\(.*?\)"|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])+'|[A-Za-z_]\w*|\d[\w.']*|::|->|&&|\|\||[<>=!]=|.)""",
                   re.VERBOSE | re.DOTALL | re.MULTILINE)
PAIRS = {"(": ")", "[": "]", "{": "}"}


def tokens_of(text):
    """[(line, token)]"""
    tokens, line = [], 1
    for match in TOKEN.finditer(text):
        if match.group("token"):
            tokens.append((line, match.group("token")))
        line += match.group().count("\n")
    return tokens


def close_of(tokens, i):
    """The position of the bracket that closes the one at i."""
    depth = 0
    for k in range(i, len(tokens)):
        if tokens[k] in PAIRS:
            depth += 1
        elif tokens[k] in PAIRS.values():
            depth -= 1
            if depth == 0:
                return k
    sys.exit("class_lines: a bracket is never closed: " + " ".join(tokens[i:i + 20]))


def close_angle(tokens, i):
    """The position of the > that closes the < at i. What is in other brackets does not count."""
    depth = 0
    while i < len(tokens):
        if tokens[i] in PAIRS:
            i = close_of(tokens, i)
        elif tokens[i] == "<":
            depth += 1
        elif tokens[i] == ">":
            depth -= 1
            if depth == 0:
                return i
        i += 1
    sys.exit("class_lines: a < is never closed: " + " ".join(tokens[:20]))


def skip_name(tokens, i):
    """The position behind a::b<c>::d at i."""
    while i < len(tokens) and (tokens[i] == "::" or re.match(r"\w", tokens[i])):
        i += tokens[i] == "::"
        if i < len(tokens) and re.match(r"\w", tokens[i]) and tokens[i] != "operator":
            i += 1
        if i < len(tokens) and tokens[i] == "<":
            i = close_angle(tokens, i) + 1
        if i >= len(tokens) or tokens[i] != "::":
            break
    return i


def skip_constraint(tokens, i):
    """The position behind the constraint at i, which follows `requires`."""
    while True:
        if tokens[i] == "requires":
            i += 1
            if tokens[i] == "(":
                i = close_of(tokens, i) + 1
            i = close_of(tokens, i) + 1
        elif tokens[i] == "(":
            i = close_of(tokens, i) + 1
        else:
            i = skip_name(tokens, i)
        if i >= len(tokens) or tokens[i] not in ("&&", "||"):
            return i
        i += 1


def skip_template_head(tokens, i=0):
    """The position behind the `template <...> requires ...` at i, attributes included."""
    while i < len(tokens):
        if tokens[i] == "template" and tokens[i + 1] == "<":
            i = close_angle(tokens, i + 1) + 1
        elif tokens[i] == "requires":
            i = skip_constraint(tokens, i + 1)
        elif tokens[i] == "[":
            i = close_of(tokens, i) + 1
        else:
            break
    return i


def name_of_class(tokens):
    """The name of the class that the declaration defines, with the arguments of a specialization; or None."""
    i = skip_template_head(tokens)
    if i >= len(tokens) or tokens[i] not in ("class", "struct", "union") or "{" not in tokens:
        return None
    i += 1
    while tokens[i] in ("[", "alignas"):
        i = close_of(tokens, i + (tokens[i] == "alignas")) + 1
    end = skip_name(tokens, i)
    return "".join(tokens[i:end]) if end < len(tokens) and tokens[end] in ("{", ":", "final") else None


def qualifier_of(tokens):
    """Of a declaration of `a<b>::c`, a function or a variable: ["a", "a<b>"], else None."""
    i = begin = skip_template_head(tokens)
    # The declared name ends at the first bracket, =, or ;, outside of template arguments.
    while i < len(tokens) and tokens[i] not in ("(", "[", "=", ";", "{"):
        if tokens[i] == "operator":
            break
        if tokens[i] in ("decltype", "noexcept", "alignas", "explicit") and tokens[i + 1] == "(":
            i = close_of(tokens, i + 1)
        elif tokens[i] == "<":
            i = close_angle(tokens, i)
        i += 1
    # The names of types stand before it.
    k = begin
    while k < i:
        end = skip_name(tokens, k)
        if end == i or tokens[end:i - 1] == ["~"]:
            name = tokens[k:i]
            if "::" not in name:
                return None
            first = name.index("::")
            return [name[0], "".join(name[:first])]
        k = max(end, k + 1)
    return None


def declarations_of(tokens):
    """((namespaces), tokens with lines) of each declaration in the namespaces of a header."""
    words = [token for _, token in tokens]
    namespaces, i = [], 0
    while i < len(words):
        if words[i] == "}":
            namespaces.pop()
            i += 1
            continue
        if words[i] in ("namespace", "inline") and "namespace" in words[i:i + 2]:
            k = words.index("{", i)
            if ";" not in words[i:k] and "=" not in words[i:k]:
                namespaces.append("".join(words[i + 1 + (words[i] == "inline"):k]))
                i = k + 1
                continue
        k = skip_template_head(words, i)
        while words[k] != ";":
            if words[k] == "requires":
                k = skip_constraint(words, k + 1)
                continue
            if words[k] in PAIRS:
                k = close_of(words, k)
                # A } ends it, unless it is one of the values in a list of initializers, or a ; follows.
                if words[k] == "}" and words[k + 1:k + 2] and words[k + 1] not in (",", "{", ";"):
                    break
            k += 1
        yield tuple(namespaces), tokens[i:k + 1]
        i = k + 1


def main():
    arguments = sys.argv[1:]
    prints = arguments[:1] == ["--list"]
    lines = collections.Counter()
    headers = collections.defaultdict(set)
    members = []
    for header in arguments[prints:]:
        with open(header, encoding="utf-8") as file:
            declarations = list(declarations_of(tokens_of(file.read())))
        for namespaces, tokens in declarations:
            words = [token for _, token in tokens]
            count = tokens[-1][0] - tokens[0][0] + 1
            name = name_of_class(words)
            if name:
                lines[namespaces, name] += count
                headers[namespaces, name].add(header)
            elif qualifier_of(words):
                members.append((namespaces, qualifier_of(words), count, header))
    for namespaces, names, count, header in members:
        for key in ((namespaces, names[1]), (namespaces, names[0])):
            if key in lines:
                lines[key] += count
                headers[key].add(header)
                break
    failed = False
    for (namespaces, name), count in lines.most_common():
        text = f"class {'::'.join(namespaces + (name,))}"
        where = " and ".join(sorted(headers[namespaces, name]))
        if prints:
            print(f"{text} has {count} lines, in {where}")
            continue
        if count > LONGEST:
            failed = True
            print(f"{text} has {count} lines: at most {LONGEST} are wanted")
        if len(headers[namespaces, name]) > 1:
            failed = True
            print(f"{text} is spread over {where}")
    sys.exit(failed)


main()
