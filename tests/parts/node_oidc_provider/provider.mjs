// An OpenID Connect provider for tests: whoever types a name as login is that person. Started by oidc_provider.py.
import { createServer } from "node:http";
import Provider from "oidc-provider";

const { PORT, CLIENT_ID, CLIENT_SECRET, REDIRECT_URI } = process.env;
const issuer = `http://localhost:${PORT}`;
const people = new Map(); // claims by subject

const provider = new Provider(issuer, {
  clients: [{ client_id: CLIENT_ID, client_secret: CLIENT_SECRET, redirect_uris: [REDIRECT_URI] }],
  findAccount: (_context, sub) => ({
    accountId: sub,
    claims: () => ({ sub, ...(people.get(sub) ?? {}) }),
  }),
  claims: {
    openid: ["sub"],
    email: ["email", "email_verified"],
    profile: ["name"],
    groups: ["groups", "hasgroups"],
  },
  cookies: { keys: ["of a test"] },
  features: { devInteractions: { enabled: true } },
  pkce: { required: () => true },
  // Nobody is asked whether the panel may know who they are.
  async loadExistingGrant(context) {
    const { client, session, params } = context.oidc;
    const grant = new context.oidc.provider.Grant({ clientId: client.clientId, accountId: session.accountId });
    grant.addOIDCScope(params.scope);
    await grant.save();
    return grant;
  },
});

const answer = provider.callback();
createServer(async (request, response) => {
  const named = /^\/test\/people\/([^/]+)$/.exec(request.url);
  if (!named || request.method !== "PUT") return answer(request, response);
  let body = "";
  for await (const part of request) body += part;
  people.set(decodeURIComponent(named[1]), JSON.parse(body));
  response.writeHead(204).end();
}).listen(Number(PORT), "127.0.0.1", () => console.log(`ready at ${issuer}`));
