(function () {
  "use strict";
  var NS = "http://www.w3.org/2000/svg";
  var data = JSON.parse(document.getElementById("data").textContent);
  var $ = function (id) { return document.getElementById(id); };
  var map = $("map");
  if (!map) return;
  document.documentElement.classList.add("js");
  ["controls", "partners", "keys"].forEach(function (name) {
    document.querySelectorAll("." + name).forEach(function (e) { e.hidden = false; });
  });

  var now = data.start, partner = data.partner, playing = false, last = 0;
  var slider = $("time"), play = $("play"), speed = $("speed"), box = document.querySelector(".mapbox");
  var flown = map.querySelectorAll(".track.flown"), lines = document.querySelectorAll(".chart .now");
  var calm = window.matchMedia && window.matchMedia("(prefers-reduced-motion: reduce)").matches;

  function shape(name, attributes, parent) {
    var e = document.createElementNS(NS, name);
    for (var key in attributes) e.setAttribute(key, attributes[key]);
    parent.appendChild(e);
    return e;
  }
  function empty(e) { while (e && e.firstChild) e.removeChild(e.firstChild); }
  function minutes(tenths) {
    var s = Math.round(tenths / 10), sign = s < 0 ? "−" : "+";
    s = Math.abs(s);
    var h = Math.floor(s / 3600), m = Math.floor(s / 60) % 60, r = s % 60;
    return "T" + sign + (h ? h + ":" + (m < 10 ? "0" : "") : "") + m + ":" + (r < 10 ? "0" : "") + r;
  }
  // index of the last entry that is not later
  function before(list, t) {
    var a = 0, b = list.length;
    while (a < b) { var m = (a + b) >> 1; if (list[m] <= t) a = m + 1; else b = m; }
    return a - 1;
  }
  function at(list, t, xs) {
    var i = before(list, t);
    if (i < 0) return xs[0];
    if (i >= list.length - 1) return xs[xs.length - 1];
    return xs[i] + (xs[i + 1] - xs[i]) * (t - list[i]) / ((list[i + 1] - list[i]) || 1);
  }

  function objects() {
    var layer = $("m-objects");
    empty(layer);
    data.flights.forEach(function (f, k) {
      var i = before(f.t, now), d = "";
      if (i >= 0) {
        d = "M" + f.x[0] + " " + f.y[0];
        for (var j = 1; j <= i; j++) d += "L" + f.x[j] + " " + f.y[j];
        var x = at(f.t, now, f.x), y = at(f.t, now, f.y);
        d += "L" + x.toFixed(1) + " " + y.toFixed(1);
        shape("circle", { "class": "object-dot", cx: x.toFixed(1), cy: y.toFixed(1), r: 5.5 }, layer);
        var last = f.t[f.t.length - 1], up = Math.round(at(f.t, now, f.h)) + " km up";
        var state = now < last || (!f.down && last + 15 >= data.end) ? up : f.down ? "down" : "no longer followed";
        if (!f.named) { flown[k].setAttribute("d", d); return; }
        var side = x > 820 ? -1 : 1;
        var label = shape("text", { "class": "object-name", x: (x + 11 * side).toFixed(1), y: (y - 9).toFixed(1) }, layer);
        if (side < 0) label.setAttribute("text-anchor", "end");
        label.textContent = (data.flights.length > 1 ? f.id + ", " : "") + state;
      }
      flown[k].setAttribute("d", d);
    });
  }

  function looks() {
    var layer = $("m-looks"), L = data.looks, d = "", small = "", end = before(L.t, now);
    empty(layer);
    var drawn = {};
    for (var i = end; i >= 0 && now - L.t[i] < 160; i--) {
      var s = data.sensors[L.s[i]], age = (now - L.t[i]) / 160;
      if (L.x[i] === null || drawn[L.s[i] + "," + L.x[i]]) continue;
      drawn[L.s[i] + "," + L.x[i]] = 1;
      shape("circle", {
        "class": "flash p" + (s.n % 6) + (L.o[i] ? "" : " wrong"), cx: L.x[i], cy: L.y[i],
        r: (4 + 9 * age).toFixed(1), opacity: (1 - age).toFixed(2)
      }, layer);
      if (L.o[i] && age < 0.7) {
        if (s.radar) d += "M" + s.x + " " + s.y + "L" + L.x[i] + " " + L.y[i];
        else if (s.st && data.flights[0] && data.flights[0].ix) {
          small += "M" + at(s.st, now, s.sx).toFixed(1) + " " + at(s.st, now, s.sy).toFixed(1);
          small += "L" + at(data.flights[0].t, L.t[i], data.flights[0].ix).toFixed(1);
          small += " " + at(data.flights[0].t, L.t[i], data.flights[0].iy).toFixed(1);
        }
      }
    }
    $("m-lines").setAttribute("d", d);
    if ($("m-inset-lines")) $("m-inset-lines").setAttribute("d", small);
  }

  function known() {
    var n = data.nations[partner], layer = $("m-known"), list = $("known"), log = $("log"), any = false;
    empty(layer); empty(list); empty(log);
    if (!n) return;
    n.warnings.forEach(function (versions) {
      var i = before(versions.map(function (v) { return v.t; }), now);
      if (i < 0) return;
      var v = versions[i];
      if (v.off) return;
      any = true;
      ["launch", "impact"].forEach(function (what) {
        var e = v[what];
        if (!e) return;
        ["region95", "region50"].forEach(function (level) {
          if (e[level]) shape("path", { "class": "region " + what + " " + level + " p" + (partner % 6), d: e[level] }, layer);
        });
        if (e.x !== undefined) {
          var m = what === "launch" ? "M" + (e.x - 5) + " " + e.y + "h10M" + e.x + " " + (e.y - 5) + "v10"
            : "M" + (e.x - 4) + " " + (e.y - 4) + "l8 8M" + (e.x + 4) + " " + (e.y - 4) + "l-8 8";
          shape("path", { "class": "mean " + what + " p" + (partner % 6), d: m }, layer);
        }
      });
      v.say.forEach(function (text) { var li = document.createElement("li"); li.textContent = text; list.appendChild(li); });
    });
    n.tracks.forEach(function (tr) {
      if (now < tr.t[0] || now > tr.t[tr.t.length - 1] + 60) return;
      var x = at(tr.t, now, tr.x), y = at(tr.t, now, tr.y);
      shape("path", { "class": "believed p" + (partner % 6), d: "M" + (x - 10).toFixed(1) + " " + y.toFixed(1) + "h20M" + x.toFixed(1) + " " + (y - 10).toFixed(1) + "v20" }, layer);
    });
    if (!any) { var none = document.createElement("li"); none.textContent = now < data.end ? "No warning stands." : "No warning stands any more."; list.appendChild(none); }
    n.log.filter(function (e) { return e[0] <= now; }).slice(-6).reverse().forEach(function (e) {
      var li = document.createElement("li");
      li.textContent = minutes(e[0]) + "  " + e[1];
      if (now - e[0] < 300) li.className = "fresh";
      log.appendChild(li);
    });
    $("caption").textContent = "What " + n.name + " knew at " + minutes(now) + ".";
  }

  function satellites() {
    var layer = $("m-inset-sats");
    if (!layer) return;
    var marks = layer.querySelectorAll(".satellite"), k = 0;
    data.sensors.forEach(function (s) {
      if (s.radar) return;
      var m = marks[k++];
      if (!m || !s.st) return;
      var x = at(s.st, now, s.sx), y = at(s.st, now, s.sy);
      m.setAttribute("d", "M" + x.toFixed(1) + " " + (y - 4.5).toFixed(1) + "l4.5 4.5l-4.5 4.5l-4.5 -4.5z");
    });
  }

  function show() {
    now = Math.max(0, Math.min(data.end, now));
    slider.value = now;
    var utc = new Date((data.unix + now / 10) * 1000).toISOString().slice(11, 19);
    $("clock").textContent = minutes(now) + "  (" + utc + " UTC)";
    slider.setAttribute("aria-valuetext", minutes(now));
    lines.forEach(function (l) {
      var x = Number(l.dataset.x0) + (Number(l.dataset.x1) - Number(l.dataset.x0)) * now / data.end;
      l.setAttribute("x1", x.toFixed(1)); l.setAttribute("x2", x.toFixed(1));
    });
    objects(); looks(); known(); satellites();
  }
  function run(on) {
    playing = on;
    play.classList.toggle("on", on);
    play.setAttribute("aria-label", on ? "Pause" : "Play");
    if (on) { if (now >= data.end) now = 0; last = 0; window.requestAnimationFrame(frame); }
  }
  function frame(t) {
    if (!playing) return;
    // with reduced motion wanted: steps of a second or so instead of a glide
    if (!last || t - last > (calm ? 900 : 30)) {
      if (last) now += Math.min(t - last, 1000) / 100 * Number(speed.value);
      last = t;
      if (now >= data.end) { now = data.end; run(false); }
      show();
    }
    window.requestAnimationFrame(frame);
  }
  function choose(i) {
    var radios = document.querySelectorAll(".partners input");
    if (!radios[i]) return;
    partner = i; radios[i].checked = true; known();
  }

  play.addEventListener("click", function () { run(!playing); });
  slider.addEventListener("input", function () { now = Number(slider.value); show(); });
  document.querySelectorAll(".partners input").forEach(function (r) {
    r.addEventListener("change", function () { choose(Number(r.value)); });
  });
  box.addEventListener("keydown", function (e) {
    var name = e.target.tagName;
    if (name === "SELECT" || e.ctrlKey || e.metaKey || e.altKey) return;
    if (e.key === " " && name !== "BUTTON") run(!playing);
    else if (e.key === "ArrowRight" && name !== "INPUT") now += 100;
    else if (e.key === "ArrowLeft" && name !== "INPUT") now -= 100;
    else if (e.key === "Home") now = 0;
    else if (e.key === "End") now = data.end;
    else if (/^[1-9]$/.test(e.key)) choose(Number(e.key) - 1);
    else return;
    e.preventDefault();
    show();
  });
  document.querySelectorAll(".pick").forEach(function (p) {
    function pick(e) {
      var r = p.getBoundingClientRect();
      now = Math.round((e.clientX - r.left) / r.width * data.end);
      show();
    }
    p.addEventListener("pointerdown", function (e) { pick(e); });
    p.addEventListener("pointermove", function (e) { if (e.buttons === 1) pick(e); });
  });
  window.addEventListener("beforeprint", function () {
    run(false); now = data.start; choose(data.partner); show();
    document.querySelectorAll("details").forEach(function (d) { d.open = true; });
  });
  show();
})();
