"""账号管理: placeholder"""

from components.session import page_frame, require_actor
from domain.access import Role

actor = require_actor(Role.INFORMATION_CENTRE)
page_frame("账号管理")
