"""Engine `array`: a run can be cut, parameters can move, any site shape fits."""

import numpy as np
import pytest
from model_cases import MODELS, random_inputs

from xdpl.engines.array import run


@pytest.fixture(params=MODELS, scope="module")
def model(request):
    return MODELS[request.param]


def part(values, days):
    return {k: v[days] for k, v in values.items()}


def everything(model):
    return [d.name for d in (*model.fluxes, *model.states)]


@pytest.mark.parametrize("own_start", [True, False])
def test_a_run_cut_in_two_is_the_same_run(model, own_start):
    forcings, theta, start = random_inputs(model, 50, 7)
    start = None if own_start else start
    whole, last = run(model, forcings, theta, initial=start, outputs=everything(model))
    first, middle = run(model, part(forcings, slice(23)), theta, initial=start, outputs=everything(model))
    second, final = run(
        model, part(forcings, slice(23, None)), theta, initial=middle, outputs=everything(model)
    )
    for name in whole:
        np.testing.assert_array_equal(np.concatenate([first[name], second[name]]), whole[name])
    for name in last:
        np.testing.assert_array_equal(final[name], last[name])


def test_final_states_are_the_last_of_the_series(model):
    series, final = run(model, *random_inputs(model, 12, 3)[:2], outputs=[s.name for s in model.states])
    assert list(final) == [s.name for s in model.states]
    for name, value in final.items():
        np.testing.assert_array_equal(value, series[name][-1])


def test_some_outputs_equal_those_of_all(model):
    forcings, theta, _ = random_inputs(model, 12, 3)
    full, _ = run(model, forcings, theta, outputs=everything(model))
    state, flux = model.states[-1].name, model.fluxes[0].name
    some, _ = run(model, forcings, theta, outputs=[state, flux])
    assert list(some) == [state, flux]
    for name in some:
        np.testing.assert_array_equal(some[name], full[name])
    nothing, final = run(model, forcings, theta)
    assert nothing == {}
    assert set(final) == {s.name for s in model.states}


def test_a_constant_series_of_a_parameter_is_the_parameter(model, backend):
    forcings, theta, start = (
        {k: backend.array(v) for k, v in g.items()} for g in random_inputs(model, 15, 4)
    )
    name = model.parameters[0].name
    moving = theta | {name: backend.xp.broadcast_to(theta[name], (15, 4))}
    still, _ = run(model, forcings, theta, initial=start, outputs=model.outputs)
    moved, _ = run(model, forcings, moving, initial=start, outputs=model.outputs)
    for key in still:
        np.testing.assert_array_equal(backend.numpy(moved[key]), backend.numpy(still[key]))


def test_a_parameter_that_steps_is_two_runs(model):
    forcings, theta, start = random_inputs(model, 30, 4)
    _, other, _ = random_inputs(model, 30, 4, seed=9)
    name = model.parameters[1].name
    changed = theta | {name: other[name]}
    days = np.arange(30)[:, None]
    moving = theta | {name: np.where(days < 11, theta[name], other[name])}
    series, _ = run(model, forcings, moving, initial=start, outputs=model.outputs)
    first, middle = run(model, part(forcings, slice(11)), theta, initial=start, outputs=model.outputs)
    second, _ = run(model, part(forcings, slice(11, None)), changed, initial=middle, outputs=model.outputs)
    for key in series:
        np.testing.assert_array_equal(series[key], np.concatenate([first[key], second[key]]))


def test_members_and_grids_are_only_more_sites(model):
    """Sites of shape (3, 4) and a member axis give the numbers of 12 sites in a row."""
    forcings, theta, start = random_inputs(model, 10, 12)
    flat, _ = run(model, forcings, theta, initial=start, outputs=model.outputs)

    def grid(values):
        return {k: v.reshape(*v.shape[:-1], 3, 4) for k, v in values.items()}

    shaped, _ = run(model, grid(forcings), grid(theta), initial=grid(start), outputs=model.outputs)
    for key in flat:
        assert shaped[key].shape == (10, 3, 4)
        np.testing.assert_array_equal(shaped[key].reshape(10, 12), flat[key])


def test_inputs_are_not_changed(model):
    groups = random_inputs(model, 10, 3)
    copies = [{k: v.copy() for k, v in g.items()} for g in groups]
    run(model, groups[0], groups[1], initial=groups[2], outputs=model.outputs)
    for group, copy in zip(groups, copies, strict=True):
        for name in group:
            np.testing.assert_array_equal(group[name], copy[name])


def test_progress_shows_the_model_and_changes_nothing(model, capsys):
    forcings, theta, _ = random_inputs(model, 10, 3)
    quiet, _ = run(model, forcings, theta, outputs=model.outputs)
    assert capsys.readouterr().err == ""
    loud, _ = run(model, forcings, theta, outputs=model.outputs, progress=True)
    assert model.name in (shown := capsys.readouterr().err)
    assert "10/10" in shown
    for key in quiet:
        np.testing.assert_array_equal(loud[key], quiet[key])
