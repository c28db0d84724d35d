// Runs in the browser, in a page with each mail in a frame as wide as a phone; writes what it measures as JSON.
function measure(mail) {
  const probe = mail.createElement("div");
  probe.style.backgroundColor = "Canvas";
  mail.body.append(probe);
  const style = (element) => mail.defaultView.getComputedStyle(element);
  const canvas = style(probe).backgroundColor;
  probe.remove();
  const elements = [...mail.querySelectorAll("html, body, body *")];
  const isText = ({ nodeType, data }) => nodeType === Node.TEXT_NODE && data.trim() !== "";
  const texts = elements.filter((element) => [...element.childNodes].some(isText));
  const all = (list, value) => [...new Set(list.map((element) => value(style(element))))];
  const width = mail.documentElement.clientWidth;
  const isWide = (element) =>
    element.scrollWidth > Math.max(width, element.clientWidth) ||
    element.getBoundingClientRect().right > width;
  return {
    width,
    wide: elements.filter(isWide).map((element) => element.outerHTML.slice(0, 200)),
    canvas,
    colours: all(texts, ({ color }) => color),
    backgrounds: all(elements, ({ backgroundColor }) => backgroundColor),
    opacities: all(elements, ({ opacity }) => opacity),
    sizes: all(texts, ({ fontSize }) => Number.parseFloat(fontSize)),
    links: [...mail.links].map(({ href }) => href),
  };
}

addEventListener("load", () => {
  const frames = [...document.querySelectorAll("iframe")];
  const result = JSON.stringify(frames.map((frame) => measure(frame.contentDocument)));
  document.body.replaceChildren(result);
});
