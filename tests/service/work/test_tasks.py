import pytest
from huey.serializer import SignedSerializer

from rca.errors import InvalidCase
from rca.service.work.tasks import Tasks, queue_of
from tests.service.running import configured


def test_tasks_go_through_a_file_unless_a_redis_is_set_and_there_they_are_signed(tmp_path, monkeypatch):
    queue_of(configured(tmp_path))
    assert (tmp_path / "queue.sqlite").exists()
    with pytest.raises(InvalidCase, match="signed with the token"):
        queue_of(configured(tmp_path, redis="redis://127.0.0.1:1/0"))
    monkeypatch.setenv("READ", "open sesame")
    queue = queue_of(configured(tmp_path, redis="redis://127.0.0.1:1/0", token={"env": "READ"}))
    assert isinstance(queue.serializer, SignedSerializer)


def test_an_outcome_is_told_once_and_a_task_leaves_nothing(tmp_path):
    tasks = Tasks(configured(tmp_path))
    task = tasks.prepare({"name": "a"}, {})
    tasks.send(task)
    assert tasks.queued() == {task.id}
    tasks.stop(task.id)
    assert tasks.queue.execute(tasks.queue.dequeue()) == {"failed": "cancelled", "final": True}
    assert tasks.beat(task.id) is not None
    assert tasks.outcome(task.id) == {"failed": "cancelled", "final": True}
    assert tasks.outcome(task.id) is None
    tasks.forget(task.id)
    assert tasks.beat(task.id) is None
    tasks.queue.storage.close()
