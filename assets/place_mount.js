// Puts the editor of places on a page of the portal; "moved" lets the page read itself anew.

const placeEditors = new WeakMap();

export default function placeEditor({ data, parentElement, setTriggerValue }) {
  let editor = placeEditors.get(parentElement);
  if (editor?.village !== data.village) {
    editor?.node.remove();
    editor = new PlaceEditor({ ...data, onMoved: () => editor.tell("moved", true) });
    placeEditors.set(parentElement, editor);
    parentElement.append(editor.node);
    const seen = new IntersectionObserver(([entry]) => {
      if (!entry.isIntersecting) return;
      seen.disconnect();
      editor.load();
    });
    seen.observe(editor.node);
  }
  editor.tell = setTriggerValue;
}
