#!/usr/bin/env python3
# SPDX-FileCopyrightText: The elegans authors
# SPDX-License-Identifier: Apache-2.0
"""make_page.py PAGE WASM OUT: puts a program of WebAssembly into a page, so that the page is one file."""
import base64
import gzip
import pathlib
import sys

page, wasm, out = map(pathlib.Path, sys.argv[1:])
packed = gzip.compress(wasm.read_bytes(), 9, mtime=0)
out.write_text(page.read_text().replace("@WASM@", base64.b64encode(packed).decode()))
