"""summary: the table of a model."""

import numpy as np
import pytest

import nn
import nn.functional as F
from examples.digits import recognizer


def test_f1_summary_is_the_lectures_table():
    table = nn.summary(recognizer(np.random.default_rng(0)), (1, 28, 28))
    assert [row.output for row in table.rows] == [
        *[(8, 28, 28)] * 2, *[(8, 14, 14)] * 2, *[(16, 14, 14)] * 2, *[(16, 7, 7)] * 2, (784,), *[(256,)] * 3, (10,),
    ]  # fmt: skip
    assert {row.name: row.parameters for row in table.rows if row.parameters} == {
        "conv1": 208,
        "conv2": 1168,
        "dense1": 200_960,
        "dense2": 2570,
    }
    assert table.parameters == table.trainable == 204_906
    work = {row.name: row.multiply_adds for row in table.rows if row.multiply_adds}
    assert work == {"conv1": 25 * 8 * 784, "conv2": 72 * 16 * 196, "dense1": 784 * 256, "dense2": 2560}
    assert table.multiply_adds == sum(work.values())
    assert table.rows[0].memory == 8 * 28 * 28 * 4
    text = str(table)
    assert "conv1 (Conv2d)     8 x 28 x 28          208     5        156,800  25.09 KB" in text
    assert "204,906" in text.splitlines()[-1]


def test_f1_the_printed_head_has_more_parameters():
    model = recognizer(np.random.default_rng(0))
    model["dense2"] = nn.Sequential(nn.Dense(256, 100), nn.Reshape(10, 10, 1))
    table = nn.summary(model, (1, 28, 28))
    assert {row.parameters for row in table.rows} >= {25_700}
    assert table.parameters == 228_036
    assert table.rows[-1].output == (10, 10, 1)


@pytest.mark.parametrize(
    ("layers", "field"),
    [
        ([nn.Conv2d(1, 1, 3)], 3),
        ([nn.Conv2d(1, 1, 3), nn.Conv2d(1, 1, 3)], 5),
        ([nn.Conv2d(1, 1, 3), nn.Conv2d(1, 1, 3), nn.Conv2d(1, 1, 3)], 7),
        ([nn.Conv2d(1, 1, 5), nn.MaxPool(2), nn.Conv2d(1, 1, 3), nn.MaxPool(2)], 12),
        ([nn.Conv2d(1, 1, 3, 2), nn.Conv2d(1, 1, 3, dilation=2)], 11),
        ([nn.AvgPool(3, 2), nn.Conv2d(1, 1, 2)], 5),
        ([nn.LocallyConnected2d(1, 1, 24, 4, 2), nn.ReLU(), nn.Conv2d(1, 1, 2)], 6),
        ([nn.BatchNorm(1), nn.Conv2d(1, 1, 3), nn.Flatten()], 3),
        ([nn.Conv2d(1, 1, 3), nn.Flatten(), nn.Dense(22 * 22, 2)], None),
        ([nn.MaxPool(2), nn.ConvTranspose2d(1, 1, 2, 2)], 2),
    ],
)
def test_e10_receptive_field(layers, field):
    assert nn.summary(nn.Sequential(*layers), (1, 24, 24)).rows[-1].field == field


def test_attention_sees_all():
    table = nn.summary(nn.TransformerEncoderLayer(8, 2, 16), (5, 8))
    assert table.rows[-1].field is None
    assert table.parameters == sum(p.size for p in nn.TransformerEncoderLayer(8, 2, 16).parameters())


def test_the_model_is_left_as_it_was():
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm(2), nn.Dropout(0.5, rng=0)).eval()
    model[1].train()
    state, generator = model.state_dict(), model[2].rng.bit_generator.state
    nn.summary(model, (1, 5, 5))
    assert all(np.array_equal(state[name], value) for name, value in model.state_dict().items())
    assert model[2].rng.bit_generator.state == generator
    assert [module.training for module in model.modules()] == [False, False, True, False]


class Twice(nn.Module):
    """Uses one layer twice, another never, and computes something itself."""

    def __init__(self):
        self.shared = nn.Dense(3, 3, rng=0)
        self.same = self.shared
        self.spare = nn.Dense(3, 5, rng=0).freeze()
        self.scale = nn.init.constant((3,), 2)

    def forward(self, a, b):
        return F.relu(self.shared(a) + self.same(b)) * self.scale


def test_shared_unused_and_frozen_layers_and_several_inputs():
    table = nn.summary(Twice(), (3,), (3,))
    assert [(row.name, row.kind, row.parameters) for row in table.rows] == [
        ("shared", "Dense", 12),
        ("", "Twice", 0),
        ("spare", "Dense, not called", 20),
    ]
    assert table.rows[0].multiply_adds == 18
    assert (table.trainable, table.frozen) == (12, 20)
    assert "12 parameters are trained, 20 are frozen" in str(table)


def test_inputs_given_as_arrays():
    model = nn.Sequential(nn.Embedding(7, 4, rng=0), nn.Flatten(), nn.Dense(12, 2, rng=0))
    table = nn.summary(model, np.zeros((1, 3), int))
    assert [row.output for row in table.rows] == [(3, 4), (12,), (2,)]
