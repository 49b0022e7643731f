"""Turns shaders/ into one C source: run at build by setup.py, or by hand: python shaders/embed.py
OUT.c

shaders/lib/*.glsl is cut into chunks, one top-level declaration each, so that a kernel can take
only those it names. A chunk is the text between blank lines outside braces; its name is the first
`vkt_` or `VKT_` identifier it declares. A chunk with `_#`, `_i#`, `_u#` or `_$` in it is a template
for both widths. shaders/*.comp are whole bodies, found by their file name.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

SHADERS = Path(__file__).resolve().parent
# Order matters: GLSL wants a function before its callers.
DECLARED = re.compile(r"\b((?:vkt|VKT)_\w+)\s*(?:\(|=|\[|\{)")
DEFINE = re.compile(r"#define\s+((?:vkt|VKT)_\w+)")
# What the words of a template stand for; a pair is a sum of two reals, or of any two.
WIDTHS = (
    {
        **{"real": "float", "pair": "vec2", "complex": "vec2", "_#": "_f32", "_$": "_c64"},
        **{"integer": "int", "natural": "uint", "n_bits": "32", "_i#": "_i32", "_u#": "_u32"},
    },
    {
        **{"real": "double", "pair": "dvec2", "complex": "dvec2", "_#": "_f64", "_$": "_c128"},
        **{"integer": "int64_t", "natural": "uint64_t", "n_bits": "64"},
        **{"_i#": "_i64", "_u#": "_u64"},
    },
)
MARK = re.compile(r"_(?:[iu]?#|\$)")
WORD = re.compile(rf"\b(?:real|pair|complex|integer|natural|n_bits)\b|{MARK.pattern}")


def expand(text: str) -> list[str]:
    """A template written out for both widths; any other text as it is."""
    if not MARK.search(text):
        return [text]
    return [WORD.sub(lambda found, words=words: words[found[0]], text) for words in WIDTHS]


def chunks(text: str) -> list[tuple[str, str]]:
    """Cuts one library file into (name, text) pairs; comment-only chunks are dropped."""
    found: list[tuple[str, str]] = []
    lines: list[str] = []
    depth = 0
    for line in [*text.splitlines(), ""]:
        code = line.split("//", 1)[0]
        depth += code.count("{") - code.count("}")
        if line.strip() or depth:
            lines.append(line.rstrip())
            continue
        code = "\n".join(line for line in lines if not line.lstrip().startswith("//"))
        for body in expand(code):
            match = DEFINE.search(body) or DECLARED.search(body)
            if match:
                found.append((match.group(1), body + "\n"))
            elif body.strip():
                raise ValueError(f"shader library: a chunk declares no vkt_ name:\n{body}")
        lines = []
    return found


def literal(text: str) -> str:
    """A C string literal, one source line per line of text."""
    lines = text.splitlines(keepends=True) or [""]
    quoted = (line.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") for line in lines)
    return "\n".join(f'     "{line}"' for line in quoted)


def embed() -> str:
    """The C source that defines the two tables of ops/kernel_text.c."""
    out = ['#include "ops/embedded.h"\n\nconst vkt_glsl_chunk vkt_glsl_library[] = {\n']
    count = 0
    for path in sorted((SHADERS / "lib").glob("*.glsl")):
        for name, text in chunks(path.read_text()):
            out.append(f'    {{"{name}",\n{literal(text)}}},\n')
            count += 1
    out.append('    {"", ""},\n};\n')
    out.append(f"const unsigned vkt_glsl_library_count = {count};\n\n")
    out.append("const vkt_glsl_chunk vkt_glsl_templates[] = {\n")
    templates = sorted(SHADERS.glob("*.comp"))
    for path in templates:
        out.append(f'    {{"{path.stem}",\n{literal(path.read_text())}}},\n')
    out.append('    {"", ""},\n};\n')
    out.append(f"const unsigned vkt_glsl_templates_count = {len(templates)};\n")
    return "".join(out)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(embed())
