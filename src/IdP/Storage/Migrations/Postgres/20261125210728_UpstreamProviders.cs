using System;
using System.Collections.Generic;
using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql.EntityFrameworkCore.PostgreSQL.Metadata;

#nullable disable

namespace IdP.Storage.Migrations.Postgres
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
                type: "bigint",
                nullable: true);

            migrationBuilder.CreateTable(
                name: "UpstreamProviders",
                columns: table => new
                {
                    Id = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    Name = table.Column<string>(type: "character varying(32)", maxLength: 32, nullable: false, collation: "C"),
                    DisplayName = table.Column<string>(type: "character varying(64)", maxLength: 64, nullable: false, collation: "C"),
                    Issuer = table.Column<string>(type: "character varying(500)", maxLength: 500, nullable: false, collation: "C"),
                    ClientId = table.Column<string>(type: "character varying(500)", maxLength: 500, nullable: false, collation: "C"),
                    SealedSecret = table.Column<string>(type: "character varying(2000)", maxLength: 2000, nullable: true, collation: "C"),
                    Scopes = table.Column<List<string>>(type: "text[]", nullable: false),
                    ClaimNames = table.Column<List<string>>(type: "text[]", nullable: false),
                    CreatesAccounts = table.Column<bool>(type: "boolean", nullable: false),
                    CreatedAt = table.Column<long>(type: "bigint", nullable: false),
                    DisabledAt = table.Column<long>(type: "bigint", nullable: true),
                    Version = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_UpstreamProviders", x => x.Id);
                });

            migrationBuilder.CreateTable(
                name: "UpstreamRequests",
                columns: table => new
                {
                    StateHash = table.Column<byte[]>(type: "bytea", maxLength: 32, nullable: false),
                    Sealed = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    ExpiresAt = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_UpstreamRequests", x => x.StateHash);
                });

            migrationBuilder.CreateTable(
                name: "UpstreamLogins",
                columns: table => new
                {
                    Id = table.Column<Guid>(type: "uuid", nullable: false),
                    ProviderId = table.Column<long>(type: "bigint", nullable: false),
                    Subject = table.Column<string>(type: "character varying(255)", maxLength: 255, nullable: false, collation: "C"),
                    UserId = table.Column<Guid>(type: "uuid", nullable: false),
                    Label = table.Column<string>(type: "character varying(256)", maxLength: 256, nullable: true, collation: "C"),
                    CreatedAt = table.Column<long>(type: "bigint", nullable: false),
                    LastUsedAt = table.Column<long>(type: "bigint", nullable: false)
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
