// Whose conversation this is, as the site's signed word names them. Only to tell
// one visitor's kept conversation from another's: the hub checks the signature.

/** The audience claim of a JWT, or undefined for none. */
export function identityOf(token: string | undefined): string | undefined {
  const body = (token || "").split(".")[1];
  if (!body) return undefined;
  try {
    const claims = JSON.parse(atob(body.replace(/-/g, "+").replace(/_/g, "/"))) as { aud?: unknown };
    return String(claims.aud || "").toLowerCase() || body;
  } catch {
    return body;
  }
}
