using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace IdP.Storage.Migrations.Postgres
{
    /// <inheritdoc />
    public partial class RefreshTokens : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropColumn(
                name: "ResourceId",
                table: "Grants");

            migrationBuilder.AddColumn<long>(
                name: "RotatedAt",
                table: "Grants",
                type: "bigint",
                nullable: true);

            migrationBuilder.AddColumn<long>(
                name: "AbsoluteExpiresAt",
                table: "Grants",
                type: "bigint",
                nullable: true);

            migrationBuilder.AddColumn<int>(
                name: "Generation",
                table: "Grants",
                type: "integer",
                nullable: false,
                defaultValue: 0);

            migrationBuilder.AddColumn<long>(
                name: "IdleExpiresAt",
                table: "Grants",
                type: "bigint",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "ResourceIdentifier",
                table: "Grants",
                type: "character varying(500)",
                maxLength: 500,
                nullable: true,
                collation: "C");

            migrationBuilder.AddColumn<int>(
                name: "Retries",
                table: "Grants",
                type: "integer",
                nullable: false,
                defaultValue: 0);

            migrationBuilder.AddColumn<byte[]>(
                name: "Seed",
                table: "Grants",
                type: "bytea",
                maxLength: 32,
                nullable: false,
                defaultValue: new byte[0]);

            migrationBuilder.AddColumn<bool>(
                name: "RotatesRefreshTokens",
                table: "Clients",
                type: "boolean",
                nullable: true);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropColumn(
                name: "AbsoluteExpiresAt",
                table: "Grants");

            migrationBuilder.DropColumn(
                name: "Generation",
                table: "Grants");

            migrationBuilder.DropColumn(
                name: "IdleExpiresAt",
                table: "Grants");

            migrationBuilder.DropColumn(
                name: "ResourceIdentifier",
                table: "Grants");

            migrationBuilder.DropColumn(
                name: "Retries",
                table: "Grants");

            migrationBuilder.DropColumn(
                name: "Seed",
                table: "Grants");

            migrationBuilder.DropColumn(
                name: "RotatesRefreshTokens",
                table: "Clients");

            migrationBuilder.DropColumn(
                name: "RotatedAt",
                table: "Grants");

            migrationBuilder.AddColumn<long>(
                name: "ResourceId",
                table: "Grants",
                type: "bigint",
                nullable: true);
        }
    }
}
