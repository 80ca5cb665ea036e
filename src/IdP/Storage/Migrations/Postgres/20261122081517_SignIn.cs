using System;
using System.Collections.Generic;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace IdP.Storage.Migrations.Postgres
{
    /// <inheritdoc />
    public partial class SignIn : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AlterColumn<Guid>(
                name: "UserId",
                table: "Grants",
                type: "uuid",
                nullable: true,
                oldClrType: typeof(Guid),
                oldType: "uuid");

            migrationBuilder.AddColumn<string>(
                name: "Acr",
                table: "Grants",
                type: "character varying(128)",
                maxLength: 128,
                nullable: true,
                collation: "C");

            migrationBuilder.AddColumn<string>(
                name: "Amr",
                table: "Grants",
                type: "character varying(128)",
                maxLength: 128,
                nullable: true,
                collation: "C");

            migrationBuilder.AddColumn<string>(
                name: "Claims",
                table: "Grants",
                type: "character varying(4000)",
                maxLength: 4000,
                nullable: true,
                collation: "C");

            migrationBuilder.AddColumn<string>(
                name: "CodeChallenge",
                table: "Grants",
                type: "character varying(43)",
                maxLength: 43,
                nullable: true,
                collation: "C");

            migrationBuilder.AddColumn<bool>(
                name: "EndsWithSession",
                table: "Grants",
                type: "boolean",
                nullable: false,
                defaultValue: false);

            migrationBuilder.AddColumn<long>(
                name: "HandleExpiresAt",
                table: "Grants",
                type: "bigint",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "Nonce",
                table: "Grants",
                type: "character varying(2048)",
                maxLength: 2048,
                nullable: true,
                collation: "C");

            migrationBuilder.AddColumn<string>(
                name: "RedirectUri",
                table: "Grants",
                type: "character varying(2000)",
                maxLength: 2000,
                nullable: true,
                collation: "C");

            migrationBuilder.AddColumn<string>(
                name: "Request",
                table: "Grants",
                type: "text",
                nullable: true,
                collation: "C");

            migrationBuilder.AddColumn<Guid>(
                name: "SessionId",
                table: "Grants",
                type: "uuid",
                nullable: true);

            migrationBuilder.AddColumn<int>(
                name: "WrongTries",
                table: "Grants",
                type: "integer",
                nullable: false,
                defaultValue: 0);

            migrationBuilder.AddColumn<bool>(
                name: "AllowCodeWithoutPkce",
                table: "Clients",
                type: "boolean",
                nullable: false,
                defaultValue: false);

            migrationBuilder.AddColumn<string>(
                name: "BackChannelLogoutUri",
                table: "Clients",
                type: "character varying(2000)",
                maxLength: 2000,
                nullable: true,
                collation: "C");

            migrationBuilder.AddColumn<string>(
                name: "FrontChannelLogoutUri",
                table: "Clients",
                type: "character varying(2000)",
                maxLength: 2000,
                nullable: true,
                collation: "C");

            migrationBuilder.AddColumn<string>(
                name: "IdTokenAlgorithm",
                table: "Clients",
                type: "character varying(16)",
                maxLength: 16,
                nullable: false,
                defaultValue: "RS256",
                collation: "C");

            migrationBuilder.AddColumn<bool>(
                name: "IsNative",
                table: "Clients",
                type: "boolean",
                nullable: false,
                defaultValue: false);

            migrationBuilder.AddColumn<string>(
                name: "LogoUri",
                table: "Clients",
                type: "character varying(2000)",
                maxLength: 2000,
                nullable: true,
                collation: "C");

            migrationBuilder.AddColumn<string>(
                name: "PolicyUri",
                table: "Clients",
                type: "character varying(2000)",
                maxLength: 2000,
                nullable: true,
                collation: "C");

            migrationBuilder.AddColumn<List<string>>(
                name: "PostLogoutRedirectUris",
                table: "Clients",
                type: "text[]",
                nullable: false);

            migrationBuilder.AddColumn<List<string>>(
                name: "RedirectUris",
                table: "Clients",
                type: "text[]",
                nullable: false);

            migrationBuilder.AddColumn<bool>(
                name: "RequiresPushedRequests",
                table: "Clients",
                type: "boolean",
                nullable: false,
                defaultValue: false);

            migrationBuilder.AddColumn<string>(
                name: "Sector",
                table: "Clients",
                type: "character varying(256)",
                maxLength: 256,
                nullable: true,
                collation: "C");

            migrationBuilder.AddColumn<bool>(
                name: "SessionRefreshTokens",
                table: "Clients",
                type: "boolean",
                nullable: false,
                defaultValue: false);

            migrationBuilder.AddColumn<string>(
                name: "TermsUri",
                table: "Clients",
                type: "character varying(2000)",
                maxLength: 2000,
                nullable: true,
                collation: "C");

            migrationBuilder.AddColumn<string>(
                name: "UserInfoAlgorithm",
                table: "Clients",
                type: "character varying(16)",
                maxLength: 16,
                nullable: true,
                collation: "C");

            migrationBuilder.CreateTable(
                name: "Consents",
                columns: table => new
                {
                    UserId = table.Column<Guid>(type: "uuid", nullable: false),
                    ClientKey = table.Column<long>(type: "bigint", nullable: false),
                    Items = table.Column<string>(type: "character varying(8000)", maxLength: 8000, nullable: false, collation: "C"),
                    ClientDigest = table.Column<byte[]>(type: "bytea", maxLength: 32, nullable: false),
                    GivenAt = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_Consents", x => new { x.UserId, x.ClientKey });
                    table.ForeignKey(
                        name: "FK_Consents_Clients_ClientKey",
                        column: x => x.ClientKey,
                        principalTable: "Clients",
                        principalColumn: "Id",
                        onDelete: ReferentialAction.Cascade);
                    table.ForeignKey(
                        name: "FK_Consents_Users_UserId",
                        column: x => x.UserId,
                        principalTable: "Users",
                        principalColumn: "Id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "Outbox",
                columns: table => new
                {
                    Id = table.Column<Guid>(type: "uuid", nullable: false),
                    Kind = table.Column<string>(type: "character varying(32)", maxLength: 32, nullable: false, collation: "C"),
                    Target = table.Column<string>(type: "character varying(2000)", maxLength: 2000, nullable: false, collation: "C"),
                    Payload = table.Column<string>(type: "character varying(4000)", maxLength: 4000, nullable: false, collation: "C"),
                    Attempts = table.Column<int>(type: "integer", nullable: false),
                    DueAt = table.Column<long>(type: "bigint", nullable: false),
                    CreatedAt = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_Outbox", x => x.Id);
                });

            migrationBuilder.CreateTable(
                name: "Sessions",
                columns: table => new
                {
                    Id = table.Column<Guid>(type: "uuid", nullable: false),
                    UserId = table.Column<Guid>(type: "uuid", nullable: false),
                    Seed = table.Column<byte[]>(type: "bytea", maxLength: 32, nullable: false),
                    Generation = table.Column<int>(type: "integer", nullable: false),
                    CreatedAt = table.Column<long>(type: "bigint", nullable: false),
                    AuthenticatedAt = table.Column<long>(type: "bigint", nullable: false),
                    Acr = table.Column<string>(type: "character varying(128)", maxLength: 128, nullable: false, collation: "C"),
                    Amr = table.Column<string>(type: "character varying(128)", maxLength: 128, nullable: false, collation: "C"),
                    LastUsedAt = table.Column<long>(type: "bigint", nullable: false),
                    IdleExpiresAt = table.Column<long>(type: "bigint", nullable: false),
                    AbsoluteExpiresAt = table.Column<long>(type: "bigint", nullable: false),
                    EndedAt = table.Column<long>(type: "bigint", nullable: true),
                    Address = table.Column<string>(type: "character varying(64)", maxLength: 64, nullable: true, collation: "C"),
                    Browser = table.Column<string>(type: "character varying(256)", maxLength: 256, nullable: true, collation: "C")
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_Sessions", x => x.Id);
                    table.ForeignKey(
                        name: "FK_Sessions_Users_UserId",
                        column: x => x.UserId,
                        principalTable: "Users",
                        principalColumn: "Id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "SessionClients",
                columns: table => new
                {
                    SessionId = table.Column<Guid>(type: "uuid", nullable: false),
                    ClientKey = table.Column<long>(type: "bigint", nullable: false),
                    FirstUsedAt = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_SessionClients", x => new { x.SessionId, x.ClientKey });
                    table.ForeignKey(
                        name: "FK_SessionClients_Clients_ClientKey",
                        column: x => x.ClientKey,
                        principalTable: "Clients",
                        principalColumn: "Id",
                        onDelete: ReferentialAction.Cascade);
                    table.ForeignKey(
                        name: "FK_SessionClients_Sessions_SessionId",
                        column: x => x.SessionId,
                        principalTable: "Sessions",
                        principalColumn: "Id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateIndex(
                name: "IX_Grants_SessionId",
                table: "Grants",
                column: "SessionId");

            migrationBuilder.CreateIndex(
                name: "IX_Consents_ClientKey",
                table: "Consents",
                column: "ClientKey");

            migrationBuilder.CreateIndex(
                name: "IX_Outbox_DueAt",
                table: "Outbox",
                column: "DueAt");

            migrationBuilder.CreateIndex(
                name: "IX_SessionClients_ClientKey",
                table: "SessionClients",
                column: "ClientKey");

            migrationBuilder.CreateIndex(
                name: "IX_Sessions_AbsoluteExpiresAt",
                table: "Sessions",
                column: "AbsoluteExpiresAt");

            migrationBuilder.CreateIndex(
                name: "IX_Sessions_UserId",
                table: "Sessions",
                column: "UserId");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "Consents");

            migrationBuilder.DropTable(
                name: "Outbox");

            migrationBuilder.DropTable(
                name: "SessionClients");

            migrationBuilder.DropTable(
                name: "Sessions");

            migrationBuilder.DropIndex(
                name: "IX_Grants_SessionId",
                table: "Grants");

            migrationBuilder.DropColumn(
                name: "Acr",
                table: "Grants");

            migrationBuilder.DropColumn(
                name: "Amr",
                table: "Grants");

            migrationBuilder.DropColumn(
                name: "Claims",
                table: "Grants");

            migrationBuilder.DropColumn(
                name: "CodeChallenge",
                table: "Grants");

            migrationBuilder.DropColumn(
                name: "EndsWithSession",
                table: "Grants");

            migrationBuilder.DropColumn(
                name: "HandleExpiresAt",
                table: "Grants");

            migrationBuilder.DropColumn(
                name: "Nonce",
                table: "Grants");

            migrationBuilder.DropColumn(
                name: "RedirectUri",
                table: "Grants");

            migrationBuilder.DropColumn(
                name: "Request",
                table: "Grants");

            migrationBuilder.DropColumn(
                name: "SessionId",
                table: "Grants");

            migrationBuilder.DropColumn(
                name: "WrongTries",
                table: "Grants");

            migrationBuilder.DropColumn(
                name: "AllowCodeWithoutPkce",
                table: "Clients");

            migrationBuilder.DropColumn(
                name: "BackChannelLogoutUri",
                table: "Clients");

            migrationBuilder.DropColumn(
                name: "FrontChannelLogoutUri",
                table: "Clients");

            migrationBuilder.DropColumn(
                name: "IdTokenAlgorithm",
                table: "Clients");

            migrationBuilder.DropColumn(
                name: "IsNative",
                table: "Clients");

            migrationBuilder.DropColumn(
                name: "LogoUri",
                table: "Clients");

            migrationBuilder.DropColumn(
                name: "PolicyUri",
                table: "Clients");

            migrationBuilder.DropColumn(
                name: "PostLogoutRedirectUris",
                table: "Clients");

            migrationBuilder.DropColumn(
                name: "RedirectUris",
                table: "Clients");

            migrationBuilder.DropColumn(
                name: "RequiresPushedRequests",
                table: "Clients");

            migrationBuilder.DropColumn(
                name: "Sector",
                table: "Clients");

            migrationBuilder.DropColumn(
                name: "SessionRefreshTokens",
                table: "Clients");

            migrationBuilder.DropColumn(
                name: "TermsUri",
                table: "Clients");

            migrationBuilder.DropColumn(
                name: "UserInfoAlgorithm",
                table: "Clients");

            migrationBuilder.AlterColumn<Guid>(
                name: "UserId",
                table: "Grants",
                type: "uuid",
                nullable: false,
                defaultValue: new Guid("00000000-0000-0000-0000-000000000000"),
                oldClrType: typeof(Guid),
                oldType: "uuid",
                oldNullable: true);
        }
    }
}
