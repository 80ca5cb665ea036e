using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace IdP.Storage.Migrations.Sqlite
{
    /// <inheritdoc />
    public partial class UpstreamProviders : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<long>(
                name: "UpstreamProviderId",
                table: "Sessions",
                type: "INTEGER",
                nullable: true);

            migrationBuilder.CreateTable(
                name: "UpstreamProviders",
                columns: table => new
                {
                    Id = table.Column<long>(type: "INTEGER", nullable: false)
                        .Annotation("Sqlite:Autoincrement", true),
                    Name = table.Column<string>(type: "TEXT", maxLength: 32, nullable: false, collation: "BINARY"),
                    DisplayName = table.Column<string>(type: "TEXT", maxLength: 64, nullable: false, collation: "BINARY"),
                    Issuer = table.Column<string>(type: "TEXT", maxLength: 500, nullable: false, collation: "BINARY"),
                    ClientId = table.Column<string>(type: "TEXT", maxLength: 500, nullable: false, collation: "BINARY"),
                    SealedSecret = table.Column<string>(type: "TEXT", maxLength: 2000, nullable: true, collation: "BINARY"),
                    Scopes = table.Column<string>(type: "TEXT", nullable: false),
                    ClaimNames = table.Column<string>(type: "TEXT", nullable: false),
                    CreatesAccounts = table.Column<bool>(type: "INTEGER", nullable: false),
                    CreatedAt = table.Column<long>(type: "INTEGER", nullable: false),
                    DisabledAt = table.Column<long>(type: "INTEGER", nullable: true),
                    Version = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_UpstreamProviders", x => x.Id);
                });

            migrationBuilder.CreateTable(
                name: "UpstreamRequests",
                columns: table => new
                {
                    StateHash = table.Column<byte[]>(type: "BLOB", maxLength: 32, nullable: false),
                    Sealed = table.Column<string>(type: "TEXT", nullable: false, collation: "BINARY"),
                    ExpiresAt = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_UpstreamRequests", x => x.StateHash);
                });

            migrationBuilder.CreateTable(
                name: "UpstreamLogins",
                columns: table => new
                {
                    Id = table.Column<byte[]>(type: "BLOB", nullable: false),
                    ProviderId = table.Column<long>(type: "INTEGER", nullable: false),
                    Subject = table.Column<string>(type: "TEXT", maxLength: 255, nullable: false, collation: "BINARY"),
                    UserId = table.Column<byte[]>(type: "BLOB", nullable: false),
                    Label = table.Column<string>(type: "TEXT", maxLength: 256, nullable: true, collation: "BINARY"),
                    CreatedAt = table.Column<long>(type: "INTEGER", nullable: false),
                    LastUsedAt = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_UpstreamLogins", x => x.Id);
                    table.ForeignKey(
                        name: "FK_UpstreamLogins_UpstreamProviders_ProviderId",
                        column: x => x.ProviderId,
                        principalTable: "UpstreamProviders",
                        principalColumn: "Id",
                        onDelete: ReferentialAction.Cascade);
                    table.ForeignKey(
                        name: "FK_UpstreamLogins_Users_UserId",
                        column: x => x.UserId,
                        principalTable: "Users",
                        principalColumn: "Id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateIndex(
                name: "IX_Sessions_UpstreamProviderId",
                table: "Sessions",
                column: "UpstreamProviderId");

            migrationBuilder.CreateIndex(
                name: "IX_UpstreamLogins_ProviderId_Subject",
                table: "UpstreamLogins",
                columns: new[] { "ProviderId", "Subject" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_UpstreamLogins_UserId",
                table: "UpstreamLogins",
                column: "UserId");

            migrationBuilder.CreateIndex(
                name: "IX_UpstreamProviders_Name",
                table: "UpstreamProviders",
                column: "Name",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_UpstreamRequests_ExpiresAt",
                table: "UpstreamRequests",
                column: "ExpiresAt");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "UpstreamLogins");

            migrationBuilder.DropTable(
                name: "UpstreamRequests");

            migrationBuilder.DropTable(
                name: "UpstreamProviders");

            migrationBuilder.DropIndex(
                name: "IX_Sessions_UpstreamProviderId",
                table: "Sessions");

            migrationBuilder.DropColumn(
                name: "UpstreamProviderId",
                table: "Sessions");
        }
    }
}
