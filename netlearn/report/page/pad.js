// A canvas to draw on, by mouse, pen or finger, which also shows images.

const PEN = 22; // pixels of the canvas, which is 280 wide

// `onDrawn` gets the image that a network would be given, or null without ink.
function drawingPad([rows, columns], name, onDrawn) {
  const canvas = html("canvas", { width: 280, height: Math.round((280 * rows) / columns), class: "pad", "aria-label": name, role: "img" });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const seen = html("canvas", { width: columns, height: rows, class: "seen", role: "img", "aria-label": "What the networks see" });
  let pen = null, drawn = false;

  function clear() {
    context.clearRect(0, 0, canvas.width, canvas.height);
    drawn = false;
  }

  function see(image) {
    if (image) paint(seen, image);
    else seen.getContext("2d").clearRect(0, 0, columns, rows);
  }

  function show(image) {
    clear();
    see(image);
    context.imageSmoothingEnabled = true;
    context.drawImage(seen, 0, 0, canvas.width, canvas.height);
  }

  // Takes the drawing as it is on the canvas.
  function take() {
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    const ink = Float32Array.from({ length: canvas.width * canvas.height }, (_, i) => data[4 * i + 3] / 255);
    const image = prepare(ink, canvas.width, canvas.height, [rows, columns]);
    see(image);
    onDrawn(image);
  }

  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return [((event.clientX - box.left) * canvas.width) / box.width, ((event.clientY - box.top) * canvas.height) / box.height];
  };
  const draw = (to) => {
    Object.assign(context, { lineWidth: PEN, lineCap: "round", lineJoin: "round", strokeStyle: "#000" });
    context.beginPath();
    context.moveTo(...pen);
    context.lineTo(to[0] + 0.01, to[1]); // a line of no length would leave no dot
    context.stroke();
    pen = to;
  };
  canvas.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    canvas.setPointerCapture(event.pointerId);
    if (!drawn) clear();
    drawn = true;
    pen = place(event);
    draw(pen);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!pen) return;
    for (const each of event.getCoalescedEvents?.() ?? [event]) draw(place(each));
    take();
  });
  const lift = () => {
    if (pen) take();
    pen = null;
  };
  canvas.addEventListener("pointerup", lift);
  canvas.addEventListener("pointercancel", lift);
  canvas.addEventListener("change", () => { drawn = true; take(); }); // for programs that draw on the canvas
  return { canvas, seen, show, clear: () => { clear(); see(null); } };
}
