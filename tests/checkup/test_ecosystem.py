"""Models that others wrote and ship, probed and diagnosed as they are.

None of the packages is needed by the tests: each test is skipped where its package is not
installed. ``pip install "transformers<5" vitax flaxmodels h5py`` brings all of them.
"""

import jax
import numpy as np
import pytest

from initjax import diagnose, probe

RNG = np.random.default_rng(0)
IDS = RNG.integers(1, 97, (4, 16), dtype=np.int32)
MASK = np.ones((4, 16), np.int32)
POSITIONS = np.broadcast_to(np.arange(16, dtype=np.int32), (4, 16))
CALL = {"deterministic": True, "return_dict": False}
SEEDS = 4

pytestmark = pytest.mark.filterwarnings("ignore::Warning:transformers|flaxmodels|vitax")


def gpt2():
    pytest.importorskip("transformers.models.gpt2.modeling_flax_gpt2")
    from transformers import GPT2Config
    from transformers.models.gpt2.modeling_flax_gpt2 import FlaxGPT2LMHeadModule

    size = {"vocab_size": 97, "n_embd": 64, "n_layer": 3, "n_head": 4, "n_positions": 32}
    batch = {"input_ids": IDS, "attention_mask": MASK, "position_ids": POSITIONS}
    return FlaxGPT2LMHeadModule(GPT2Config(**size)), batch | CALL


def bert():
    pytest.importorskip("transformers.models.bert.modeling_flax_bert")
    from transformers import BertConfig
    from transformers.models.bert.modeling_flax_bert import FlaxBertForMaskedLMModule

    size = {"vocab_size": 97, "hidden_size": 64, "intermediate_size": 128}
    size |= {"num_hidden_layers": 3, "num_attention_heads": 4}
    batch = {"input_ids": IDS, "attention_mask": MASK, "position_ids": POSITIONS}
    batch |= {"token_type_ids": 0 * IDS, "head_mask": np.ones((3, 4), np.float32)}
    return FlaxBertForMaskedLMModule(BertConfig(**size)), batch | CALL


def vit():
    pytest.importorskip("transformers.models.vit.modeling_flax_vit")
    from transformers import ViTConfig
    from transformers.models.vit import modeling_flax_vit

    size = {"hidden_size": 64, "intermediate_size": 128, "image_size": 16, "patch_size": 4}
    size |= {"num_hidden_layers": 3, "num_attention_heads": 4}
    model = modeling_flax_vit.FlaxViTForImageClassificationModule(ViTConfig(**size))
    return model, {"pixel_values": _images(4, 16)} | CALL


def resnet():
    pytest.importorskip("transformers.models.resnet.modeling_flax_resnet")
    from transformers import ResNetConfig
    from transformers.models.resnet import modeling_flax_resnet

    size = {"embedding_size": 16, "hidden_sizes": [16, 32], "depths": [2, 2]}
    config = ResNetConfig(**size, layer_type="basic")
    model = modeling_flax_resnet.FlaxResNetForImageClassificationModule(config)
    batch = {"pixel_values": _images(4, 32), "deterministic": False, "return_dict": False}
    return model, batch


def vitax():
    vitax = pytest.importorskip("vitax.models.vit")
    size = {"num_classes": 10, "img_size": 16, "patch_size": 4, "num_layers": 3}
    size |= {"num_heads": 4, "mlp_dim": 128, "hidden_size": 64, "fsdp": False}
    return lambda rngs: vitax.VisionTransformer(**size, rngs=rngs), _images(4, 16)


def flaxmodels():
    package = pytest.importorskip("flaxmodels")
    model = package.ResNet18(pretrained=None, normalize=False, num_classes=10)
    return model, {"x": abs(_images(4, 64)), "train": True}


def _images(count, size):
    return RNG.normal(size=(count, size, size, 3)).astype(np.float32)


MODELS = {f.__name__: f for f in (gpt2, bert, vit, resnet, vitax, flaxmodels)}


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_every_layer_is_seen(name):
    model, batch = MODELS[name]()
    trace = probe(model, batch)
    assert not trace.unseen
    read = {path for site in trace.sites for path in site.weights}
    assert {_unindexed(p.path) for p in trace.parameters} == {_unindexed(p) for p in read}
    assert np.isfinite(trace.site_values["log10_rms"]).all()


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_what_is_shipped_to_be_trained_is_healthy(name):
    model, batch = MODELS[name]()
    diagnosis = diagnose(model, batch, key=jax.random.key(0), seeds=SEEDS)
    assert diagnosis.verdict == "healthy", str(diagnosis)


def _unindexed(path):
    return "/".join(part.split("[")[0] for part in path.split("/"))
