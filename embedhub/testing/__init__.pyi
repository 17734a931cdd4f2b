from .contract import SourceContract as SourceContract
from .format_contract import FormatContract as FormatContract
