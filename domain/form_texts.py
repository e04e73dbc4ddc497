"""What a person reads of a form's values: names of codes and files, masks for what is not his."""

from collections.abc import Iterable, Iterator, Mapping

from domain.forms import FORM_GROUP, Content, Context, Field, File, Form, rows_of, split_path


def text_of(form: Form, path: str, value: object, context: Context | None = None) -> str:
    """Return a value as a person reads it: names of codes and files, — for nothing."""
    parts = split_path(path)
    item = form.find_field(parts[0], parts[2]) if parts else None
    if parts is None or item is None or value is None:
        return "—" if value is None else str(value)
    if item.data_type == "code":
        return form.options(item).get(str(value), str(value))
    if item.data_type == "boolean":
        return {True: "是", False: "否"}.get(value is True, str(value))
    if isinstance(value, dict):
        row = context.find_row(parts[0], parts[1]) if context else None
        return "、".join(_file_texts(value, row.files if row else ()))
    return str(value)


def _file_texts(value: Mapping[str, object], files: Iterable[File]) -> Iterator[str]:
    names = {file.file_id: file.name for file in files}
    for item, number in value.items():
        name = names.get(number) if isinstance(number, int) else None
        yield f"{item}（{name}）" if name else item


def mask(
    form: Form, content: Content, *, may_see_contact: bool, may_see_internal: bool = True
) -> Content:
    """Return the content for somebody who need not see contacts or internal notes."""
    hide = {"contact": not may_see_contact, "internal": not may_see_internal}
    result = dict(content)
    for group in form.groups:
        hidden = [item for item in form.fields_of(group) if hide.get(item.sensitivity)]
        rows = [
            row | {f.code: masked_value(f, row[f.code]) for f in hidden if row.get(f.code)}
            for _, row in rows_of(content, group)
        ]
        if group in content:
            result[group] = rows[0] if group == FORM_GROUP else rows
    return result


def masked_value(item: Field, value: object) -> str:
    """Return what is left of a value that is not for everyone.

    >>> masked_value(Field("form", "p", "电话", "phone"), "13812345678")
    '138****5678'
    >>> masked_value(Field("form", "n", "姓名", "text"), "欧阳明")
    '欧**'
    """
    text = str(value)
    if item.data_type == "phone" and len(text) > 7:
        return f"{text[:3]}{'*' * (len(text) - 7)}{text[-4:]}"
    return f"{text[:1]}{'*' * max(1, min(len(text) - 1, 8))}"
