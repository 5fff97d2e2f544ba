// What is measured on the rendered page: contrast, sizes, cut-off text.

/** Every visible text: its contrast, its size in vh, and whether it is cut off. */
export const texts = (page) => page.evaluate(() => {
  const parse = (color) => {
    const m = color.match(/[\d.]+/g).map(Number);
    return { rgb: m.slice(0, 3), alpha: m.length > 3 ? m[3] : 1 };
  };
  const over = (top, alpha, under) => top.map((c, i) => c * alpha + under[i] * (1 - alpha));
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((c) => (c / 255 <= 0.03928 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (a, b) => {
    const [x, y] = [luminance(a), luminance(b)].sort((m, n) => n - m);
    return (x + 0.05) / (y + 0.05);
  };
  /** The colour behind an element, and the opacity of what is in front of it. */
  const behind = (element) => {
    let opacity = 1;
    const layers = [];
    for (let e = element; e; e = e.parentElement) {
      const style = getComputedStyle(e);
      const background = parse(style.backgroundColor);
      if (background.alpha > 0) layers.push({ ...background, within: opacity });
      opacity *= Number(style.opacity);
      if (background.alpha === 1 && opacity === 1) break;
    }
    let color = [255, 255, 255];
    for (const layer of layers.reverse()) color = over(layer.rgb, layer.alpha, color);
    return { color, opacity };
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    const text = node.nodeValue.trim();
    const range = document.createRange();
    range.selectNodeContents(node);
    const box = range.getBoundingClientRect();
    const style = getComputedStyle(element);
    if (!text || style.visibility === "hidden" || box.width === 0) continue;
    // What lies on top of it hides it, and is checked itself.
    const top = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
    if (!top || !(top === element || element.contains(top) || top.contains(element))) continue;
    const { color, opacity } = behind(element);
    if (opacity === 0) continue;
    found.push({
      text,
      where: element.id || element.className,
      contrast: contrast(over(parse(style.color).rgb, opacity, color), color),
      vh: (parseFloat(style.fontSize) / innerHeight) * 100,
      cut: box.left < -1 || box.top < -1 || box.right > innerWidth + 1 || box.bottom > innerHeight + 1,
    });
  }
  return found;
});

/** Texts of the call that reach out of their box. */
export const overflows = (page) => page.evaluate(() =>
  ["hero", "hero-call", "hero-number-box", "hero-to", "strip", "emergency", "pairing", "rows"]
    .map((id) => document.getElementById(id))
    .concat([...document.querySelectorAll(".row.used")])
    .filter((e) => e.offsetParent && getComputedStyle(e).visibility !== "hidden"
      && (e.scrollWidth > e.clientWidth + 2 || (e.id === "hero" && e.scrollHeight > e.clientHeight + 2)))
    .map((e) => `${e.id || e.className} ${e.scrollWidth}>${e.clientWidth} ${e.scrollHeight}>${e.clientHeight}: ${e.textContent}`));
