// Before the first paint, and so no module: what theme.js keeps.
document.documentElement.dataset.theme = localStorage.getItem("caravel.theme") ?? "auto";
