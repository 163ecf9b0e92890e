"""What a person is told of an error of ours: one table from error class to words and way out."""

from cli.errors import CliError
from council.errors import CouncilError, UnknownRealmError
from council.ledger.port import LedgerConfigError, LedgerUnavailableError
from council.record import DamagedRecordError
from evals.errors import EvalsError, InvalidFileError
from gateway.errors import GatewayError, SettingsError
from policies.faults import InvalidInputError, PoliciesError
from policies.policy_faults import InvalidPolicyError
from story.errors import StoryError
from world.errors import StoreConfigError, StoreUnavailableError, WorldError
from world.realm.rules_document import InvalidWorldError
from world.review.port import ReviewError, ReviewRefusedError


def told(error: Exception) -> CliError | None:
    """Return what a person is told of an error; None where it is a defect of ours."""
    if isinstance(error, CliError):
        return error
    return _refused(error) or _failed(error) or _of_evals(error)


def _refused(error: Exception) -> CliError | None:
    """Errors that name every place of an input that is wrong."""
    match error:
        case InvalidInputError():
            return CliError("the input is refused", "", [str(fault) for fault in error.faults])
        case InvalidWorldError():
            fix = "--world or COUNCIL_WORLD_PATH names the file; world/data/aelvyndor.yaml shows every key"
            return CliError("the world's file is refused", fix, [str(fault) for fault in error.faults])
        case InvalidPolicyError():
            fix = "docs/policy.md explains every key; 'council policy lint FILE' checks a file"
            return CliError("the policy is refused", fix, [str(fault) for fault in error.faults])
        case SettingsError():
            return CliError("the settings cannot be used", "'council config' lists every setting", error.faults)
        case ReviewRefusedError():
            return CliError(str(error).split("; ")[0], "", error.faults)
    return None


def _failed(error: Exception) -> CliError | None:
    match error:
        case LedgerConfigError():
            fix = "COUNCIL_DATABASE_URL or --database names the store; 'council review FILE' makes one"
        case LedgerUnavailableError():
            fix = "check that it is there and can be written; 'council review' and 'council migrate' make one"
        case DamagedRecordError():
            fix = "'council verify' names every bad record; restore the store from a backup"
        case UnknownRealmError():
            fix = 'name one of them, or give the policy a realm "*" that stands for every other'
        case ReviewError():
            fix = "check the URL and that 'council serve' runs there; sending the same request again is safe"
        case StoreConfigError():
            fix = "COUNCIL_DATABASE_URL or --database names the store; 'council world seed' makes a world in it"
        case StoreUnavailableError():
            fix = "check that it is there and can be written; 'council migrate' brings its tables up to date"
        case StoryError() | CouncilError() | GatewayError() | WorldError() | PoliciesError():
            fix = ""
        case _:
            return None
    return CliError(str(error), fix)


def _of_evals(error: Exception) -> CliError | None:
    match error:
        case InvalidFileError():
            return CliError("the file is refused", "", [str(fault) for fault in error.faults])
        case EvalsError():
            return CliError(error.what, error.fix)
    return None
