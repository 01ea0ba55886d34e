"""What a language model's export is proven with."""

import pytest

from keras_seq.tasks.text_generation.data import example_prompts

CODE = ["\n", "}\n", "\n", "int f(int x)\n", "{\n", "\treturn x;\n", "}\n"] * 20


@pytest.mark.parametrize("corpus", [CODE, ["".join(CODE)], ["ab " * 9]])
def test_prompts_are_texts_however_short_the_first_block_is(corpus: list[str]):
    prompts = example_prompts(corpus)
    assert len(prompts) == 4 and prompts[0] == ""
    assert all(len(prompt) > 1 for prompt in prompts[1:])
