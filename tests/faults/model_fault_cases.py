"""The models' part of the fault table (reliability.md, L1 to L20): what is injected, and what must be recorded.

L19, a model that obeys players, breaks nothing that this table could see: its test is in `test_model_fault_scenes`, its corpus
of attacks in `tests/adversarial`.
"""

from dataclasses import dataclass

from policies.verdicts import Abstention

RETRIES = 1
"""Retries of every case that names no other number."""


@dataclass(frozen=True)
class FaultCase:
    """One fault of one row.

    Attributes:
        row: the table's row.
        mode: how the fault server breaks (`tests.models.fault_replies`, `fault_sockets`).
        kind: the abstention on record; None: the member votes in the end.
        calls: calls that the member makes, exactly, whether or not they reach anybody.
        timeout_s: wall clock of the member whose model breaks, seconds.
        retries: most calls after the first.
    """

    row: str
    mode: str
    kind: Abstention | None
    calls: int = 1 + RETRIES
    timeout_s: str = "5"
    retries: int = RETRIES

    @property
    def is_gone(self) -> bool:
        """Whether no server is there to count the calls."""
        return self.mode.startswith("gone/")

    @property
    def id(self) -> str:
        """The case as the test's name shows it."""
        return f"{self.row} {self.mode}"


def _each(row: str, modes: str, kind: Abstention | None, calls: int = 1 + RETRIES) -> list[FaultCase]:
    return [FaultCase(row, mode, kind, calls) for mode in modes.split()]


CASES: tuple[FaultCase, ...] = (
    # no answer, or one that never ends: the wall clock ends it, whatever arrives meanwhile
    FaultCase("L1", "hang", "timeout", 1, "1"),
    FaultCase("L2", "drip", "timeout", 1, "1"),
    FaultCase("L2", "drip_head", "timeout", 1, "1"),
    FaultCase("L2", "sse_drip", "timeout", 1, "1"),
    FaultCase("L2", "seq:500,hang", "timeout", 2, "1.5"),
    # limits: waited for where the wait fits, else not tried again
    FaultCase("L3", "seq:429s:1,ok", None, 2),
    FaultCase("L3", "seq:429date:1,ok", None, 2),
    FaultCase("L3", "429s:1", "unreachable", 2),
    FaultCase("L3", "429s:5", "unreachable", 1, "1"),
    *_each("L3", "429bad 429bare 429negative", "unreachable"),
    FaultCase("L4", "429long", "unreachable", 1),
    FaultCase("L5", "429quota", "unreachable", 1),
    # statuses that may pass
    *_each("L6", "500 502html 503 529 408 409", "unreachable"),
    FaultCase("L6", "seq:500,ok", None, 2),
    FaultCase("L6", "seq:500,500,ok", "unreachable", 2),
    FaultCase("L6", "seq:500,500,ok", None, 3, retries=2),
    FaultCase("L6", "500", "unreachable", 1, retries=0),
    # statuses that will not
    *_each("L7", "400 401 403 404 422 redirect", "unreachable", 1),
    # connections and bodies that break
    *_each("L8", "trunc_http reset reset_mid close garbage long_head", "unreachable"),
    *_each("L9", "trunc_json empty_body 200html 200err 200null 200list bad_utf8", "unparsed"),
    *_each(
        "L10", "empty_choices no_choices null_choices text_choices null_message null_content list_content", "unparsed"
    ),
    # replies that are no vote
    *_each("L11", "trunc_content", "unparsed"),
    *_each("L12", "refusal", "refused", 1),
    *_each("L12", "refusal_text", "unparsed"),
    *_each("L13", "content_filter", "refused", 1),
    *_each("L14", "wrong_schema wrong_enum wrong_type conf_high conf_negative extra_keys", "off_schema"),
    *_each("L14", "conf_nan conf_infinite fenced two_json deep half_character", "unparsed"),
    *_each("L14", "invented_evidence", "off_schema"),
    FaultCase("L14", "seq:wrong_enum,ok", None, 2),
    *_each("L15", "dup_keys", "unparsed"),
    FaultCase("L16", "huge", "unparsed", 1),
    FaultCase("L16", "bomb", "unparsed", 2),
    *_each("L17", "tool_call tool_call_and_vote", "off_schema", 1),
    FaultCase("L18", "no_usage", None, 1),
    FaultCase("L18", "bad_usage", None, 1),
    # nobody is there at all
    FaultCase("L20", "gone/refused", "unreachable"),
)
