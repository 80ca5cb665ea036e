using IdP.Ui;

namespace IdP.Passkeys;

/// <summary>The one script of the pages: browsers give passkeys to scripts only. Whoever has none sees pages without passkeys.</summary>
internal sealed class PasskeyScript() : PageFile(PageAddresses.PasskeyScript, "IdP.Passkeys.passkeys.js", "text/javascript; charset=utf-8");
