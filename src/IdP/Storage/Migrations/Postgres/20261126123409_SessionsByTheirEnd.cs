using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace IdP.Storage.Migrations.Postgres
{
    /// <inheritdoc />
    public partial class SessionsByTheirEnd : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "IX_Sessions_AbsoluteExpiresAt",
                table: "Sessions");

            migrationBuilder.CreateIndex(
                name: "IX_Sessions_EndedAt_IdleExpiresAt",
                table: "Sessions",
                columns: new[] { "EndedAt", "IdleExpiresAt" });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "IX_Sessions_EndedAt_IdleExpiresAt",
                table: "Sessions");

            migrationBuilder.CreateIndex(
                name: "IX_Sessions_AbsoluteExpiresAt",
                table: "Sessions",
                column: "AbsoluteExpiresAt");
        }
    }
}
