"""The portal's own HTTP routes: every module of this package has its `ROUTES`."""

from importlib import import_module
from pkgutil import iter_modules

from starlette.routing import BaseRoute


def all_routes() -> list[BaseRoute]:
    """Return the routes of every module here, in the order of the modules' names."""
    names = sorted(module.name for module in iter_modules(__path__))
    modules = [import_module(f"{__name__}.{name}") for name in names]
    return [route for module in modules for route in getattr(module, "ROUTES", ())]


ROUTES: list[BaseRoute] = all_routes()
