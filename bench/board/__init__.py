"""Boards as data, and the known defects of kernel drivers: YAML read into frozen values."""
from bench.board.defects import KnownDefect, applying, of_drivers
from bench.board.model import Board, Device, LineAt, Machine
from bench.board.reader import BOARDS, load, names

__all__ = ["BOARDS", "Board", "Device", "KnownDefect", "LineAt", "Machine", "applying", "load", "names", "of_drivers"]
