#!/usr/bin/env python3
# SPDX-FileCopyrightText: The elegans authors
# SPDX-License-Identifier: Apache-2.0
"""single_header.py OUTPUT [HEADER...]: makes one header of elegans/elegans.hpp and all that it includes.

Each further HEADER, such as elegans/system/thread_pool.hpp, goes into it too.
"""

import pathlib
import re
import sys

include_folder = pathlib.Path(__file__).resolve().parents[2] / "include"
include_line = re.compile(r"#\s*include\s*<([^>]+)>")
spdx_line = re.compile(r"// SPDX-")


class Merger:
    def __init__(self):
        self.seen = set()  # headers of elegans
        self.others = set()  # what they include besides
        self.text = []

    def add(self, name):
        """Appends a header, with what it includes where it includes it, as a compiler would read it."""
        if name in self.seen:
            return
        self.seen.add(name)
        path = include_folder / name
        if not path.is_file():
            sys.exit(f"single_header.py: there is no header {name}")
        title = name
        body = []

        def flush():
            nonlocal title
            text = "\n".join(body).strip()
            body.clear()
            if text:
                self.text.append(f"// --- {title} ---\n\n{text}\n")
                title = f"the rest of {name}"

        depth = 0  # of #if
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if re.match(r"#\s*if", line):
                depth += 1
            elif re.match(r"#\s*endif", line):
                depth -= 1
            included = include_line.match(line)
            if spdx_line.match(line) or line.strip() == "#pragma once":
                continue
            if included and included[1].startswith("elegans/"):
                # Taken out of its condition it would always be there.
                if depth:
                    sys.exit(f"single_header.py: {name}:{number}: a header of elegans is included under a condition")
                flush()
                self.add(included[1])
            elif included and not depth:
                self.others.add(included[1])
            elif re.match(r"#\s*include", line) and not included:
                sys.exit(f"single_header.py: {name}:{number}: cannot follow {line.strip()}")
            else:
                body.append(line)
        if depth:
            sys.exit(f"single_header.py: {name}: #if and #endif do not match")
        flush()

    def merged(self):
        version = (include_folder / "elegans/core/version.hpp").read_text(encoding="utf-8")
        parts = re.findall(r"#define ELEGANS_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)", version)
        libraries = {name for name in self.others if "/" in name}
        head = [
            "// SPDX-FileCopyrightText: The elegans authors",
            "// SPDX-License-Identifier: Apache-2.0",
            "",
            f"// elegans {'.'.join(parts)}, neural circuit policies in C++20, in one header; it needs Eigen 3.4 or newer.",
            "// Made by single_header.py: do not edit, make it again.",
            "#pragma once",
            "",
            *(f"#include <{name}>" for name in sorted(self.others - libraries)),
            "",
            *(f"#include <{name}>" for name in sorted(libraries)),
            "",
        ]
        text = "\n".join(head) + "\n" + "\n".join(self.text)
        return re.sub(r"\n{3,}", "\n\n", text)


def main(arguments):
    if not arguments or arguments[0].startswith("-"):
        sys.exit(__doc__.strip())
    output = pathlib.Path(arguments[0])
    merger = Merger()
    for header in ["elegans/elegans.hpp", *arguments[1:]]:
        merger.add(header)
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(merger.merged(), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
