// Asking the server, with the token where it wants one.

export const $ = (id) => document.getElementById(id);

export function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

let asking = null; // The promise of a token, while the user is being asked.

export async function ask(method, path, body, signal) {
  const token = sessionStorage.getItem("token");
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  let response;
  try {
    response = await fetch(path, { method, headers, body, signal });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("The server does not answer.");
  }
  if (response.status === 401) {
    if (token === sessionStorage.getItem("token")) await (asking ??= askForToken(token !== null));
    return ask(method, path, body, signal);
  }
  if (response.ok) return response;
  const { error } = await response.json().catch(() => ({}));
  throw new Error(error ?? `The server failed (${response.status}).`);
}

function askForToken(isWrong) {
  const dialog = $("token");
  const form = dialog.querySelector("form");
  $("token-note").textContent = isWrong ? "That was not it." : "";
  form.reset();
  dialog.showModal();
  return new Promise((resolve, reject) => {
    form.onsubmit = (event) => {
      event.preventDefault();
      sessionStorage.setItem("token", form.token.value.trim());
      resolve();
      dialog.close();
    };
    dialog.onclose = () => {
      asking = null;
      reject(new Error("Without the token the gallery tells nothing. Reload the page to give it."));
    };
  });
}

export async function pictureOf(response) {
  return URL.createObjectURL(await response.blob());
}

export const json = async (path) => (await ask("GET", path)).json();
export const personPath = (name) => `/persons/${encodeURIComponent(name)}`;
