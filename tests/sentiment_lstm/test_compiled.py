from sentiment_lstm import compiled


def test_runs_where_machine_code_cannot_be_kept(monkeypatch):
    from numba.core import caching

    assert compiled._can_cache()
    monkeypatch.setattr(caching.CacheImpl, "_locator_classes", [])
    assert not compiled._can_cache()
