"""Boards as data, and the known defects of kernel drivers: YAML read into frozen values."""
from bench.board.defects import KnownDefect, applying, of_drivers
from bench.board.model import Board, Device, LineAt, Machine
from bench.board.reader import folder_of, load, names

__all__ = ["Board", "Device", "KnownDefect", "LineAt", "Machine", "applying", "folder_of", "load", "names",
           "of_drivers"]
