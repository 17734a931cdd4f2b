from .contract import SourceContract as SourceContract
