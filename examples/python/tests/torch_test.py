# SPDX-FileCopyrightText: The elegans authors
# SPDX-License-Identifier: Apache-2.0
"""elegans.torch against ncps: its golden values, and ncps itself."""
import copy
import gc
import io
import pickle
import threading

import ncps.torch
import ncps.wirings
import pytest
import torch
from torch import nn

import elegans
import elegans.torch
import elegans.wirings
from support import (GRADIENT, OUTPUT, PAIRS, Golden, assert_close, flat, golden_names, make_pair, ncp, pair_name,
                     randomized, state_of)

DTYPES = (torch.float32, torch.float64)
pairs = pytest.mark.parametrize("pair", PAIRS, ids=pair_name)
dtypes = pytest.mark.parametrize("dtype", DTYPES, ids=("float", "double"))


@dtypes
@pytest.mark.parametrize("wirings", (elegans.wirings, ncps.wirings), ids=("elegans", "ncps"))
@pytest.mark.parametrize("name", golden_names())
def test_golden(name, wirings, dtype):
    golden = Golden(name)
    module = golden.module(wirings).to(dtype).eval()
    module.load_state_dict(golden.group("param."), strict=True)
    leaf = lambda key: None if golden[key] is None else golden[key].to(dtype).requires_grad_()
    x, h, c, spans = leaf("x"), leaf("h0"), leaf("c0"), leaf("timespans")
    output, final = module(x, (h, c) if c is not None else h, spans)
    assert_close(output, golden["output"], OUTPUT[dtype], "output")
    assert_close(flat(final), golden["final_state"], OUTPUT[dtype], "final state")
    (golden["cotangent"].to(dtype) * output).sum().backward()
    for key, leaf_of in (("x", x), ("h0", h), ("c0", c), ("timespans", spans)):
        if leaf_of is not None:
            assert_close(leaf_of.grad, golden[f"grad_{key}"], GRADIENT[dtype], key)
    gradients = golden.group("grad.")
    for key, p in module.named_parameters():
        if key in gradients:
            assert_close(p.grad, gradients[key], GRADIENT[dtype], key)
        elif p.requires_grad:
            assert p.grad is None or p.grad.abs().max() == 0, key


def run(module, x, state, spans, weights):
    """Outputs, final state, and the gradients of a weighted sum of both."""
    leaves = [x, *(state if isinstance(state, tuple) else (state,)), spans]
    leaves = [t.detach().clone().requires_grad_() for t in leaves]
    states = tuple(leaves[1:-1]) if isinstance(state, tuple) else leaves[1]
    output, final = module(leaves[0], states, leaves[-1])
    loss = (output * weights[: output.numel()].view_as(output)).sum()
    loss = loss + (flat(final) * weights[: flat(final).numel()].view_as(flat(final))).sum()
    parameters = {key: p for key, p in module.named_parameters() if p.requires_grad}
    gradients = torch.autograd.grad(loss, leaves + list(parameters.values()), allow_unused=True)
    names = ["x"] + ["state"] * (len(leaves) - 2) + ["timespans"] + list(parameters)
    return output, final, dict(zip(names, gradients))


@dtypes
@pairs
def test_one_sequence_as_ncps(pair, dtype):
    """A single sample has elapsed times in ncps too. Batches of one, and inputs without a batch."""
    theirs, ours = make_pair(pair, dtype)
    generator = torch.Generator().manual_seed(1)
    weights = torch.rand(2000, generator=generator).to(dtype) - 0.5
    for batch_first in (True, False):
        for batched in (True, False):
            theirs.batch_first = ours.batch_first = batch_first
            x = torch.rand(6, pair[1], generator=generator).to(dtype)
            spans = torch.rand(6, generator=generator).to(dtype) + 0.1
            state = state_of(theirs, 1 if batched else 0, generator)
            if batched:
                x, spans = (x[None], spans[None]) if batch_first else (x[:, None], spans[:, None])
            wanted, got = (run(module, x, state, spans, weights) for module in (theirs, ours))
            assert_close(got[0], wanted[0], OUTPUT[dtype])
            assert_close(flat(got[1]), flat(wanted[1]), OUTPUT[dtype])
            for key, gradient in wanted[2].items():
                if gradient is None:
                    assert got[2][key] is None or not got[2][key].any(), key
                else:
                    assert_close(got[2][key], gradient, GRADIENT[dtype], key)


@dtypes
@pairs
@pytest.mark.parametrize("batch", (1, 3, 17))
def test_batches_as_ncps(pair, dtype, batch):
    theirs, ours = make_pair(pair, dtype)
    x = torch.rand(batch, 5, pair[1], generator=torch.Generator().manual_seed(2)).to(dtype)
    zeros = torch.zeros(batch, theirs.state_size, dtype=dtype)  # ncps' own are float
    state = (zeros, zeros) if theirs.use_mixed else zeros
    for given in (x, x.transpose(0, 1).contiguous().transpose(0, 1), x.flip(0)[:, :, :1].expand(batch, 5, pair[1])):
        wanted, got = theirs(given, state), ours(given)
        assert_close(got[0], wanted[0], OUTPUT[dtype])
        assert_close(flat(got[1]), flat(wanted[1]), OUTPUT[dtype])


@pairs
def test_gradcheck(pair):
    _, ours = make_pair(pair, torch.float64)
    generator = torch.Generator().manual_seed(3)
    x = torch.rand(2, 3, pair[1], generator=generator, dtype=torch.float64, requires_grad=True)
    state = state_of(ours, 2, generator)
    states = [s.requires_grad_() for s in (state if isinstance(state, tuple) else (state,))]
    spans = (torch.rand(2, 3, generator=generator, dtype=torch.float64) + 0.2).requires_grad_()
    parameters = [p for p in ours.parameters() if p.requires_grad]

    def call(x, spans, *rest):
        output, final = ours(x, tuple(rest[: len(states)]) if ours.use_mixed else rest[0], spans)
        return output, flat(final)

    # Checks a random direction of all gradients at once.
    assert torch.autograd.gradcheck(call, (x, spans, *states, *parameters), fast_mode=True)


@pairs
def test_initial_values_are_those_of_ncps(pair):
    kind, inputs, units, options = pair
    states = []
    for package, wirings in ((ncps.torch, ncps.wirings), (elegans.torch, elegans.wirings)):
        torch.manual_seed(5)
        states.append(getattr(package, kind)(inputs, units if isinstance(units, int) else units(wirings),
                                             **options).state_dict())
    theirs, ours = states
    assert list(theirs) == list(ours)
    for key in theirs:
        assert theirs[key].dtype == ours[key].dtype and torch.equal(theirs[key], ours[key]), key


@pairs
def test_state_dicts_load_both_ways(pair):
    theirs, ours = make_pair(pair)
    randomized(ours, 9)
    theirs.load_state_dict(ours.state_dict(), strict=True)
    x = torch.rand(2, 4, pair[1])
    assert_close(ours(x)[0], theirs(x)[0], OUTPUT[torch.float32])


def test_a_loaded_mask_is_the_wiring():
    """As in ncps, a state_dict of another wiring of the same sizes brings its synapses along."""
    theirs = randomized(ncps.torch.LTC(3, ncps.wirings.Random(8, 2, 0.7, random_seed=4)))
    ours = elegans.torch.LTC(3, elegans.wirings.Random(8, 2, 0.2))
    x = torch.rand(2, 4, 3)
    ours(x)
    ours.load_state_dict(theirs.state_dict())
    assert_close(ours(x)[0], theirs(x)[0], OUTPUT[torch.float32])
    ours.rnn_cell.sparsity_mask.data[1, 0] = theirs.rnn_cell.sparsity_mask.data[1, 0] = 0
    assert_close(ours(x)[0], theirs(x)[0], OUTPUT[torch.float32])
    ours.rnn_cell.sparsity_mask.data[1, 0] = 0.5
    with pytest.raises(elegans.InvalidArgument, match="entries 0 and 1"):
        ours(x)


@pytest.mark.parametrize("pair", [PAIRS[1], PAIRS[5], PAIRS[12]], ids=pair_name)
def test_two_forwards_before_one_backward(pair):
    theirs, ours = make_pair(pair, torch.float64)
    a, b = torch.rand(2, 4, pair[1]).double(), torch.rand(3, 5, pair[1]).double()
    generator = torch.Generator().manual_seed(4)
    state_a, state_b = state_of(theirs, 2, generator), state_of(theirs, 3, generator)
    gradients = []
    for module in (theirs, ours):
        module.zero_grad()
        first, second, third = module(a, state_a)[0], module(b, state_b)[0], module(a.flip(0), state_a)[0]
        (first.sum() + (second ** 2).sum()).backward()
        (third ** 3).sum().backward()
        gradients.append({key: p.grad for key, p in module.named_parameters() if p.grad is not None})
    for key, gradient in gradients[0].items():
        assert_close(gradients[1][key], gradient, GRADIENT[torch.float64], key)


def test_a_graph_goes_back_twice():
    _, ours = make_pair(PAIRS[1])
    y = ours(torch.rand(2, 4, 2))[0].sum()
    y.backward(retain_graph=True)
    once = ours.rnn_cell.w.grad.clone()
    y.backward()
    assert_close(ours.rnn_cell.w.grad, 2 * once, 1e-6)


def test_a_parameter_that_changes_before_the_backward_pass_is_an_error():
    _, ours = make_pair(PAIRS[1])
    y = ours(torch.rand(2, 4, 2))[0].sum()
    with torch.no_grad():
        ours.rnn_cell.w.mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.backward()


def test_parameters_may_change_behind_the_back_of_autograd():
    """ncps' apply_weight_constraints assigns .data; so do many programs."""
    theirs, ours = make_pair(PAIRS[1])
    x = torch.rand(2, 4, 2)
    for module in (theirs, ours):
        module(x)
        module.rnn_cell.w.data = module.rnn_cell.w.data * 0.5
        module.rnn_cell.cm.data[0] = 0.9
    assert_close(ours(x)[0], theirs(x)[0], OUTPUT[torch.float32])


def test_training_follows_ncps():
    golden = Golden("training_auto_ncp")
    module = elegans.torch.LTC(2, elegans.wirings.AutoNCP(8, 1), implicit_param_constraints=False).double()
    module.load_state_dict(golden.group("initial."))
    t = torch.linspace(0, 3 * torch.pi, 48, dtype=torch.float64)
    x, y = torch.stack([t.sin(), t.cos()], 1)[None], (2 * t).sin().view(1, 48, 1)
    optimizer = torch.optim.Adam([p for p in module.parameters() if p.requires_grad], lr=0.01, eps=1e-7)
    losses = []
    for _ in range(400):
        loss = ((module(x)[0] - y) ** 2).mean()
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        module.rnn_cell.apply_weight_constraints()
    assert_close(losses, golden["losses"], 1e-6)


def test_a_part_of_a_larger_model():
    """Gradients flow into what stands before and after."""
    class Net(nn.Module):
        def __init__(self, package, wirings):
            super().__init__()
            self.before = nn.Conv1d(2, 3, 3, padding=1)
            self.rnn = package.LTC(3, ncp(wirings))
            self.second = package.CfC(3, 4, backbone_units=5)
            self.after = nn.Linear(4, 1)

        def forward(self, x):
            x = torch.relu(self.before(x.transpose(1, 2)).transpose(1, 2))
            return self.after(self.second(self.rnn(x)[0])[0])

    theirs, ours = Net(ncps.torch, ncps.wirings), Net(elegans.torch, elegans.wirings)
    ours.load_state_dict(theirs.state_dict())
    x = torch.rand(3, 6, 2)
    for net in (theirs, ours):
        net(x).pow(2).sum().backward()
    for (key, wanted), got in zip(theirs.named_parameters(), ours.parameters()):
        if wanted.grad is not None:
            assert_close(got.grad, wanted.grad, GRADIENT[torch.float32], key)


@pairs
def test_pickle_and_deepcopy(pair):
    _, ours = make_pair(pair)
    x = torch.rand(2, 4, pair[1])
    wanted = ours(x)[0]
    file = io.BytesIO()
    torch.save(ours, file)
    file.seek(0)
    for other in (copy.deepcopy(ours), pickle.loads(pickle.dumps(ours)), torch.load(file)):
        assert torch.equal(other(x)[0], wanted)
        with torch.no_grad():
            [p for p in other.parameters() if p.requires_grad][-1].add_(1)
        assert torch.equal(ours(x)[0], wanted)
        assert not torch.equal(other(x)[0], wanted)


def test_a_module_follows_its_dtype():
    _, ours = make_pair(PAIRS[0])
    x = torch.rand(2, 4, 3)
    single = ours(x)[0]
    double = ours.double()(x.double())[0]
    assert double.dtype is torch.float64
    assert_close(single, double, OUTPUT[torch.float32])
    assert torch.equal(ours.float()(x)[0], single)


def test_a_shared_module():
    """One module twice in a model, and two modules that share their parameters."""
    theirs, ours = make_pair(("LTC", 2, lambda w: w.FullyConnected(5, 2), {}), torch.float64)
    x = torch.rand(2, 4, 2).double()
    gradients = []
    for module in (theirs, ours):
        module(module(x)[0])[0].sum().backward()
        gradients.append(module.rnn_cell.w.grad)
    assert_close(gradients[1], gradients[0], GRADIENT[torch.float64])
    other = elegans.torch.LTC(2, elegans.wirings.FullyConnected(5, 2)).double()
    other.rnn_cell = ours.rnn_cell
    assert torch.equal(other(x)[0], ours(x)[0])


def test_threads():
    _, ours = make_pair(PAIRS[1])
    inputs = [torch.rand(k + 1, 9, 2) for k in range(8)]
    wanted = [torch.autograd.grad(ours(x)[0].sum(), [ours.rnn_cell.w]) for x in inputs]
    got = [None] * len(inputs)

    def work(k):
        for _ in range(50):
            got[k] = torch.autograd.grad(ours(inputs[k])[0].sum(), [ours.rnn_cell.w])

    threads = [threading.Thread(target=work, args=(k,)) for k in range(len(inputs))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for k in range(len(inputs)):
        assert torch.equal(got[k][0], wanted[k][0])


def test_frozen_parameters_and_inputs_get_no_gradient():
    _, ours = make_pair(PAIRS[1])
    for p in ours.parameters():
        p.requires_grad_(False)
    x = torch.rand(2, 4, 2)
    assert not ours(x)[0].requires_grad
    ours.rnn_cell.mu.requires_grad_()
    ours(x)[0].sum().backward()
    assert ours.rnn_cell.mu.grad is not None and ours.rnn_cell.w.grad is None
    with torch.no_grad():
        assert not ours(x)[0].requires_grad


def test_dropout():
    torch.manual_seed(3)
    module = elegans.torch.CfC(2, 6, backbone_units=32, backbone_layers=3, backbone_dropout=0.5)
    x = torch.rand(2, 5, 2)
    module.eval()
    y = module(x)[0]
    assert torch.equal(module(x)[0], y)
    x.requires_grad_()
    assert torch.equal(module(x)[0], y)  # with a tape, too
    module.train()
    torch.manual_seed(1)
    dropped = module(x)[0]
    again = module(x)[0]
    assert not torch.equal(dropped, y) and not torch.equal(dropped, again)
    torch.manual_seed(1)
    with torch.no_grad():
        assert torch.equal(module(x)[0], dropped)
    module.eval()
    assert torch.equal(module(x)[0], y)


def test_explicit_constraints():
    theirs, ours = make_pair(PAIRS[1])
    for module in (theirs, ours):
        with torch.no_grad():
            for name in ("w", "sensory_w", "cm", "gleak", "mu"):
                getattr(module.rnn_cell, name).sub_(0.5)
        module.rnn_cell.apply_weight_constraints()
    for key, value in theirs.state_dict().items():
        assert torch.equal(ours.state_dict()[key], value), key


def test_elapsed_times_of_a_batch():
    """Each sample has its own; ncps divides a (units) vector by a (batch) one there."""
    theirs, ours = make_pair(PAIRS[2], torch.float64)
    x, spans = torch.rand(3, 5, 4).double(), torch.rand(3, 5).double() + 0.1
    wanted = torch.cat([theirs(x[b:b + 1], None, spans[b:b + 1])[0] for b in range(3)])
    for given in (spans, spans[:, :, None], spans.float().double()):
        assert_close(ours(x, timespans=given)[0], wanted, 1e-6)
    assert_close(ours(x, timespans=spans.float())[0], wanted, 1e-6)
    shared = spans[:1].clone().requires_grad_()
    ours(x, timespans=shared)[0].sum().backward()
    apart = spans[:1].expand(3, 5).clone().requires_grad_()
    ours(x, timespans=apart)[0].sum().backward()
    assert_close(shared.grad, apart.grad.sum(0, keepdim=True), 1e-10)


def test_no_memory_is_lost():
    _, ours = make_pair(PAIRS[1])
    import weakref
    y = ours(torch.rand(2, 4, 2))[0]
    reference = weakref.ref(ours)
    del ours, y
    gc.collect()
    assert reference() is None


X = torch.zeros(2, 4, 2)


@pytest.mark.parametrize("call, message", [
    (lambda m: m(torch.zeros(2, 4, 3)), r"input must have 2 features, got \(2, 4, 3\)"),
    (lambda m: m(torch.zeros(4)), "input must have 3 dimensions, or 2 without a batch"),
    (lambda m: m(torch.zeros(2, 0, 2)), "time >= 1"),
    (lambda m: m(X.half()), "must be torch.float32 or torch.float64, got torch.float16"),
    (lambda m: m(X.int()), "got torch.int32"),
    (lambda m: m(X.double()), "they must have one dtype"),
    (lambda m: m(X.to("meta")), "on the CPU only"),
    (lambda m: m(X.to_sparse()), "dense tensors on the CPU only"),
    (lambda m: m(X, torch.zeros(2, 7)), r"hx must be \(2, 8\), got \(2, 7\)"),
    (lambda m: m(X, torch.zeros(8)), r"hx must be \(2, 8\), got \(8,\)"),
    (lambda m: m(X[0], torch.zeros(1, 8)), r"hx must be \(8,\), got \(1, 8\)"),
    (lambda m: m(X, torch.zeros(2, 8).double()), "hx must be torch.float32"),
    (lambda m: m(X, (torch.zeros(2, 8), torch.zeros(2, 8))), "hx must be a torch.Tensor, got tuple"),
    (lambda m: m(X, None, torch.zeros(4, 2)), r"timespans must be \(batch, time\) = \(2, 4\) or \(1, 4\), got"),
    (lambda m: m(X, None, -torch.ones(2, 4)), "elapsed time must be finite and at least 0, got -1"),
    (lambda m: m(X, None, torch.full((2, 4), float("nan"))), "elapsed time must be finite"),
    (lambda m: setattr(m.rnn_cell, "w", nn.Parameter(torch.zeros(3, 3))) or m(X), r"rnn_cell.w must be \(8, 8\)"),
    (lambda m: m.to("meta")(X), "meta"),
])
def test_refusals(call, message):
    module = elegans.torch.LTC(2, elegans.wirings.FullyConnected(8, 1))
    with pytest.raises(elegans.InvalidArgument, match=message) as caught:
        call(module)
    assert isinstance(caught.value, ValueError) and isinstance(caught.value, RuntimeError)


@pytest.mark.parametrize("make, message", [
    (lambda: elegans.torch.LTC(2, 8, ode_unfolds=0), "ode_unfolds must be at least 1, got 0"),
    (lambda: elegans.torch.LTC(2, 8, epsilon=-1), "epsilon must be finite and at least 0"),
    (lambda: elegans.torch.LTC(2, 8, input_mapping="cubic"), "input_mapping must be one of affine, linear, none"),
    (lambda: elegans.torch.LTC(0, 8), "input_dim must be at least 1"),
    (lambda: elegans.torch.CfC(2, 8, mode="best"), "mode must be 'default', 'pure' or 'no_gate', got 'best'"),
    (lambda: elegans.torch.CfC(2, 8, activation="sin"), "activation must be one of"),
    (lambda: elegans.torch.CfC(2, 8, backbone_dropout=1.0), r"backbone_dropout must be in \[0, 1\)"),
    (lambda: elegans.torch.CfC(2, elegans.wirings.AutoNCP(8, 1), backbone_units=3), "a wired CfC has no backbone"),
])
def test_options_that_make_no_sense(make, message):
    with pytest.raises(elegans.InvalidArgument, match=message):
        make()


def test_mixed_memory_wants_a_pair():
    module = elegans.torch.LTC(2, 5, mixed_memory=True)
    with pytest.raises(RuntimeError, match="must be a pair"):
        module(X, torch.zeros(2, 5))


def test_second_derivatives_are_refused():
    """A gradient penalty must not become a constant without a word."""
    _, ours = make_pair(PAIRS[1])
    x = torch.rand(1, 3, 2, requires_grad=True)
    y = ours(x)[0].sum()
    (gradient,) = torch.autograd.grad(y, x, create_graph=True)
    with pytest.raises(RuntimeError, match="no second derivatives"):
        (y + gradient.sum()).backward()
