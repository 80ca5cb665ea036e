namespace IdP.Ui;

/// <summary>The one stylesheet.</summary>
internal sealed class Stylesheet() : PageFile(PageAddresses.Style, "IdP.Ui.idp.css", "text/css; charset=utf-8");
