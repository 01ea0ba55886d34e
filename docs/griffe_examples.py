"""Reads the `Example:` of a docstring as code, for the API page; needs no package."""

import textwrap

import griffe


class Examples(griffe.Extension):
    """Ours stands last and is not indented; Griffe's Google style wants both else."""

    def on_instance(self, *, obj: griffe.Object, **kwargs: object) -> None:
        if obj.docstring:
            text, found, code = obj.docstring.value.partition("\nExample:\n")
            if found:
                code = textwrap.indent(code.strip("\n"), "    ")
                obj.docstring.value = f"{text}\nExamples:\n{code}"
